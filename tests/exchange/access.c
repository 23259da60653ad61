#include "access.h"

#include "base/memory.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* A set of addresses; case does not matter. */
struct addresses {
    char **list;
    size_t count;
};

/* Whom an account may impersonate. */
struct grants {
    bool everybody;
    struct addresses granted;
    struct addresses revoked; /* exceptions to `everybody` */
};

struct account {
    char *name;
    char *password;
    char *own_mailbox;                    /* NULL: the one of its name */
    struct grants grants[ACCESS_SERVERS]; /* as each server knows them */
};

struct access {
    pthread_mutex_t lock;
    struct account **accounts;
    size_t count;
};

/* -- Sets ------------------------------------------------------------------ */

static size_t set_place(const struct addresses *set, const char *address)
{
    size_t at = 0;
    while (at < set->count && strcasecmp(set->list[at], address) != 0)
        at++;
    return at;
}

static bool set_has(const struct addresses *set, const char *address)
{
    return set_place(set, address) < set->count;
}

static void set_add(struct addresses *set, const char *address)
{
    if (set_has(set, address))
        return;
    set->list = memory_resize(set->list, (set->count + 1) * sizeof *set->list);
    set->list[set->count++] = memory_copy_string(address);
}

static void set_remove(struct addresses *set, const char *address)
{
    size_t at = set_place(set, address);
    if (at == set->count)
        return;
    memory_free(set->list[at]);
    set->list[at] = set->list[--set->count];
}

static void set_clear(struct addresses *set)
{
    for (size_t i = 0; i < set->count; i++)
        memory_free(set->list[i]);
    memory_free(set->list);
    *set = (struct addresses){0};
}

/* -- Accounts -------------------------------------------------------------- */

struct access *access_create(void)
{
    struct access *access = memory_allocate(sizeof *access);
    pthread_mutex_init(&access->lock, NULL);
    return access;
}

void access_free(struct access *access)
{
    for (size_t i = 0; i < access->count; i++) {
        struct account *account = access->accounts[i];
        for (size_t server = 0; server < ACCESS_SERVERS; server++) {
            set_clear(&account->grants[server].granted);
            set_clear(&account->grants[server].revoked);
        }
        memory_free(account->own_mailbox);
        memory_free(account->password);
        memory_free(account->name);
        memory_free(account);
    }
    memory_free(access->accounts);
    pthread_mutex_destroy(&access->lock);
    memory_free(access);
}

static struct account *find(const struct access *access, const char *name)
{
    for (size_t i = 0; i < access->count; i++)
        if (strcasecmp(access->accounts[i]->name, name) == 0)
            return access->accounts[i];
    return NULL;
}

static struct account *lock_and_find(struct access *access, const char *name)
{
    pthread_mutex_lock(&access->lock);
    return find(access, name);
}

void access_set_password(struct access *access, const char *name, const char *password)
{
    struct account *account = lock_and_find(access, name);
    if (account == NULL) {
        account = memory_allocate(sizeof *account);
        account->name = memory_copy_string(name);
        access->accounts =
            memory_resize(access->accounts, (access->count + 1) * sizeof(struct account *));
        access->accounts[access->count++] = account;
    }
    memory_free(account->password);
    account->password = memory_copy_string(password);
    pthread_mutex_unlock(&access->lock);
}

const struct account *access_sign_in(struct access *access, const char *name, const char *password)
{
    const struct account *account = lock_and_find(access, name);
    if (account != NULL && strcmp(account->password, password) != 0)
        account = NULL;
    pthread_mutex_unlock(&access->lock);
    return account;
}

const struct account *access_find(struct access *access, const char *user)
{
    const struct account *account = lock_and_find(access, user);
    if (account == NULL) {
        const char *domain = strchr(user, '\\');
        const char *start = domain == NULL ? user : domain + 1;
        char *name = memory_copy_bytes(start, strcspn(start, "@"));
        account = find(access, name);
        memory_free(name);
    }
    pthread_mutex_unlock(&access->lock);
    return account;
}

static void grant(struct grants *grants, const char *address)
{
    if (strcmp(address, "all") == 0) {
        grants->everybody = true;
        set_clear(&grants->revoked);
        return;
    }
    set_remove(&grants->revoked, address);
    set_add(&grants->granted, address);
}

static void revoke(struct grants *grants, const char *address)
{
    if (strcmp(address, "all") == 0) {
        grants->everybody = false;
        set_clear(&grants->granted);
        return;
    }
    set_remove(&grants->granted, address);
    set_add(&grants->revoked, address);
}

static bool change(struct access *access, const char *name, const char *address, int server,
                   void (*apply)(struct grants *grants, const char *address))
{
    struct account *account = lock_and_find(access, name);
    for (int i = 0; account != NULL && i < ACCESS_SERVERS; i++) {
        if (server == ACCESS_ALL_SERVERS || server == i)
            apply(&account->grants[i], address);
    }
    pthread_mutex_unlock(&access->lock);
    return account != NULL;
}

bool access_grant(struct access *access, const char *name, const char *address, int server)
{
    return change(access, name, address, server, grant);
}

bool access_revoke(struct access *access, const char *name, const char *address, int server)
{
    return change(access, name, address, server, revoke);
}

bool access_set_rule(struct access *access, const char *name, const char *rule)
{
    bool found = access_revoke(access, name, "all", ACCESS_ALL_SERVERS);
    while (found && *rule != '\0') {
        size_t length = strcspn(rule, ",");
        char *entry = memory_copy_bytes(rule, length);
        if (*entry == '-')
            access_revoke(access, name, entry + 1, ACCESS_ALL_SERVERS);
        else if (length > 0 && strcmp(entry, "none") != 0)
            access_grant(access, name, entry, ACCESS_ALL_SERVERS);
        memory_free(entry);
        rule += length + (rule[length] == ',');
    }
    return found;
}

bool access_may_impersonate(struct access *access, const struct account *account,
                            const char *address, unsigned server)
{
    const struct grants *grants = &account->grants[server % ACCESS_SERVERS];
    pthread_mutex_lock(&access->lock);
    bool may = set_has(&grants->granted, address) ||
               (grants->everybody && !set_has(&grants->revoked, address));
    pthread_mutex_unlock(&access->lock);
    return may;
}

bool access_set_own_mailbox(struct access *access, const char *name, const char *address)
{
    struct account *account = lock_and_find(access, name);
    if (account != NULL) {
        memory_free(account->own_mailbox);
        account->own_mailbox = memory_copy_string(address);
    }
    pthread_mutex_unlock(&access->lock);
    return account != NULL;
}

const char *access_own_mailbox(const struct account *account)
{
    return account->own_mailbox == NULL ? account->name : account->own_mailbox;
}
