#include "daemon/sign_in.h"

#include "base/digest.h"
#include "base/memory.h"
#include "daemon/remedy.h"

#include <string.h>
#include <sys/queue.h>

struct remembered {
    SLIST_ENTRY(remembered) entries;
    struct sign_ins *sign_ins;
    char *profile;
    struct store_sign_in sign_in;
    uint32_t writing; /* writes that the store has not answered */
    bool unwritten;   /* the last one failed */
};

struct sign_ins {
    struct store *store;
    char *salt;
    SLIST_HEAD(, remembered) profiles; /* those of which something is, or was, remembered */
    store_done *load_done;
    void *load_argument;
};

struct sign_ins *sign_ins_create(struct store *store, const char *salt)
{
    struct sign_ins *sign_ins = memory_allocate(sizeof *sign_ins);
    sign_ins->store = store;
    sign_ins->salt = memory_copy_string(salt);
    SLIST_INIT(&sign_ins->profiles);
    return sign_ins;
}

void sign_ins_free(struct sign_ins *sign_ins)
{
    if (sign_ins == NULL)
        return;
    struct remembered *remembered;
    while ((remembered = SLIST_FIRST(&sign_ins->profiles)) != NULL) {
        SLIST_REMOVE_HEAD(&sign_ins->profiles, entries);
        memory_free(remembered->profile);
        memory_free(remembered);
    }
    memory_free(sign_ins->salt);
    memory_free(sign_ins);
}

static struct remembered *find(const struct sign_ins *sign_ins, const char *profile)
{
    struct remembered *remembered;
    SLIST_FOREACH(remembered, &sign_ins->profiles, entries)
    {
        if (strcmp(remembered->profile, profile) == 0)
            return remembered;
    }
    return NULL;
}

static struct remembered *find_or_add(struct sign_ins *sign_ins, const char *profile)
{
    struct remembered *remembered = find(sign_ins, profile);
    if (remembered != NULL)
        return remembered;
    remembered = memory_allocate(sizeof *remembered);
    remembered->sign_ins = sign_ins;
    remembered->profile = memory_copy_string(profile);
    SLIST_INSERT_HEAD(&sign_ins->profiles, remembered, entries);
    return remembered;
}

/* --- the mark --- */

static struct digest_part part_of(const char *text)
{
    return (struct digest_part){.bytes = text == NULL ? "" : text,
                                .length = text == NULL ? 0 : strlen(text)};
}

static uint32_t mark_of(const struct sign_ins *sign_ins, const struct config_profile *profile)
{
    const uint8_t auth = (uint8_t)profile->auth;
    const struct digest_part parts[] = {
        part_of(sign_ins->salt),
        part_of(profile->url),
        {.bytes = &auth, .length = 1},
        part_of(profile->username),
        part_of(profile->password == NULL ? NULL : secret_reveal(profile->password)),
    };
    const struct digest digest = digest_of(parts, sizeof parts / sizeof parts[0]);
    return (uint32_t)digest.bytes[0] << 8 | digest.bytes[1];
}

/* --- the store --- */

static void written(void *argument, const struct failure *failure)
{
    struct remembered *remembered = argument;
    remembered->writing--;
    remembered->unwritten = failure != NULL;
}

static void write_down(struct remembered *remembered)
{
    struct sign_ins *sign_ins = remembered->sign_ins;
    remembered->writing++;
    store_sign_in_save(sign_ins->store, remembered->profile, &remembered->sign_in, written,
                       remembered);
}

static void forget(struct remembered *remembered)
{
    if (remembered->sign_in.refused == 0)
        return;
    remembered->sign_in.refused = 0;
    write_down(remembered);
}

static void load_one(void *argument, const char *profile, const struct store_sign_in *sign_in)
{
    find_or_add(argument, profile)->sign_in = *sign_in;
}

static void loaded(void *argument, const struct failure *failure)
{
    struct sign_ins *sign_ins = argument;
    sign_ins->load_done(sign_ins->load_argument, failure);
}

void sign_ins_load(struct sign_ins *sign_ins, store_done *done, void *argument)
{
    sign_ins->load_done = done;
    sign_ins->load_argument = argument;
    store_sign_ins_load(sign_ins->store, load_one, loaded, sign_ins);
}

/* --- what is remembered --- */

struct store_sign_in sign_ins_recall(struct sign_ins *sign_ins,
                                     const struct config_profile *profile)
{
    struct remembered *remembered = find(sign_ins, profile->name);
    if (remembered == NULL)
        return (struct store_sign_in){0};
    if (profile->password == NULL || remembered->sign_in.mark != mark_of(sign_ins, profile))
        forget(remembered);
    return remembered->sign_in;
}

struct store_sign_in sign_ins_look(const struct sign_ins *sign_ins, const char *profile)
{
    const struct remembered *remembered = find(sign_ins, profile);
    return remembered == NULL ? (struct store_sign_in){0} : remembered->sign_in;
}

uint64_t sign_ins_refused(struct sign_ins *sign_ins, const struct config_profile *profile,
                          int64_t now_ms)
{
    struct remembered *remembered = find_or_add(sign_ins, profile->name);
    struct store_sign_in *sign_in = &remembered->sign_in;
    uint32_t mark = mark_of(sign_ins, profile);
    if (sign_in->mark != mark)
        sign_in->refused = 0;
    sign_in->mark = mark;
    if (sign_in->refused < UINT32_MAX)
        sign_in->refused++;
    sign_in->last_ms = now_ms;
    write_down(remembered);
    return sign_in_wait(sign_in, now_ms);
}

void sign_ins_accepted(struct sign_ins *sign_ins, const struct config_profile *profile)
{
    struct remembered *remembered = find(sign_ins, profile->name);
    if (remembered != NULL)
        forget(remembered);
}

bool sign_ins_written(struct sign_ins *sign_ins, const struct config_profile *profile)
{
    struct remembered *remembered = find(sign_ins, profile->name);
    if (remembered == NULL)
        return true;
    if (remembered->writing == 0 && remembered->unwritten)
        write_down(remembered);
    return remembered->writing == 0;
}

uint64_t sign_in_wait(const struct store_sign_in *sign_in, int64_t now_ms)
{
    if (sign_in->refused == 0)
        return 0;
    uint64_t wait = sign_in->refused == 1 ? SIGN_IN_SECOND_MS : SIGN_IN_LATER_MS;
    if (now_ms <= sign_in->last_ms)
        return wait;
    uint64_t gone = (uint64_t)(now_ms - sign_in->last_ms);
    return gone < wait ? wait - gone : 0;
}

/* --- what to do --- */

void sign_in_write_remedy(struct buffer *text, const struct config_profile *profile,
                          const char *remedy, const char *address)
{
    bool known = remedy != NULL && remedy[0] != '\0';
    buffer_append_string(text, known ? remedy
                                     : "Check the account and the password of the profile: wrong, "
                                       "expired, or locked.");
    buffer_append_char(text, ' ');
    remedy_write_sign_in(text, profile->password != NULL, profile->name, address);
}
