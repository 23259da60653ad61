/* The questions that settle a doubt: looking at drafts, searching for submissions. */
#include "ews_world.h"

static const char *const drafts[] = {"A 1", "B 2", "C 3"};
static const char *const ids[] = {"11111111-aaaa-4000-8000-000000000001",
                                  "22222222-bbbb-4000-8000-000000000002"};

/* --- look --- */

static void looked(void *argument, const struct failure *failure, const struct backend_looked *list,
                   size_t count)
{
    static const char *const states[] = {"unknown", "gone", "waiting", "submitted"};
    struct world *world = argument;
    note_done(world, failure);
    for (size_t i = 0; i < count; i++) {
        assert_true((list[i].state == BACKEND_DRAFT_UNKNOWN) == failure_is_set(&list[i].failure));
        buffer_append_format(&world->log, "%s %s%s\n", states[list[i].state],
                             list[i].reference == NULL ? "" : list[i].reference,
                             list[i].failure.code);
    }
}

#define LOOK(id, properties)                                                                      \
    SUCCESS("GetItem", "<m:Items><t:Message><t:ItemId Id=\"" id "\" ChangeKey=\"N\"/>" properties \
                       "</t:Message></m:Items>")
#define IS(submitted, draft) \
    "<t:IsSubmitted>" submitted "</t:IsSubmitted><t:IsDraft>" draft "</t:IsDraft>"

static void drafts_are_known_by_what_the_server_says(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        const char *log;
    } cases[] = {
        {ANSWER("GetItem", LOOK("A", IS("false", "true")) LOOK("B", IS("true", "true"))
                               REFUSAL("GetItem", "ErrorItemNotFound")),
         "waiting A N\nsubmitted B N\ngone \n"},
        {ANSWER("GetItem", LOOK("A", IS("false", "false")) LOOK("B", IS(" true ", "false"))
                               REFUSAL("GetItem", "ErrorVirusMessageDeleted")),
         "gone \nsubmitted B N\nunknown ErrorVirusMessageDeleted\n"},
        {ANSWER("GetItem", LOOK("A", "<t:IsDraft>true</t:IsDraft>") LOOK("B", "")),
         "unknown NoDraftState\nunknown NoDraftState\nunknown NoResponseMessage\n"},
        {ANSWER("GetItem", LOOK("B", IS("false", "true")) LOOK("other", IS("false", "true"))
                               SUCCESS("GetItem", "<m:Items/>")),
         "unknown WrongItem\nwaiting other N\nunknown WrongItem\n"},
        {ANSWER("GetItem", REFUSAL("GetItem", "ErrorServerBusy") LOOK("B", IS("0", "1"))
                               LOOK("C", IS("1", "1"))),
         "unknown ErrorServerBusy\nwaiting B N\nsubmitted C N\n"},
    };
    struct world *world = world_create();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buffer_clear(&world->log);
        backend_look_start(world->backend, &world->mailbox, drafts, 3, looked, world);
        assert_false(world->pool.request->changes);
        answer(&world->pool, cases[i].answer);
        assert_done(world, "");
        assert_string_equal(buffer_string(&world->log), cases[i].log);
    }
    world_free(world);
}

static void a_question_is_never_in_doubt(void **state)
{
    (void)state;
    struct world *world = world_create();
    const struct http_response cut = {
        .status = 200, .failure = lost("CURLE_PARTIAL_FILE"), .in_doubt = true};
    backend_look_start(world->backend, &world->mailbox, drafts, 3, looked, world);
    end_with(&world->pool, &cut);
    assert_false(world->failure.in_doubt);
    assert_done(world, "CURLE_PARTIAL_FILE");
    backend_look_start(world->backend, &world->mailbox, drafts, 3, looked, world);
    answer(&world->pool, FAULT("a:ErrorInternalServerError"));
    assert_false(world->failure.in_doubt);
    assert_done(world, "ErrorInternalServerError");
    world_free(world);
}

/* --- search --- */

static void found(void *argument, const struct failure *failure,
                  const struct backend_match *matches, size_t count)
{
    static const char *const places[] = {"drafts", "outbox", "sent"};
    struct world *world = argument;
    note_done(world, failure);
    for (size_t i = 0; i < count; i++)
        buffer_append_format(&world->log, "%zu %s %s%s\n", matches[i].index,
                             places[matches[i].place], matches[i].reference,
                             matches[i].submitted ? " submitted" : "");
}

static void start_search(struct world *world)
{
    buffer_clear(&world->log);
    backend_search_start(world->backend, &world->mailbox, ids, 2, found, world);
}

#define FOLDER(attributes, items)                                                     \
    SUCCESS("FindItem", "<m:RootFolder " attributes "><t:Items>" items "</t:Items></" \
                        "m:RootFolder>")
#define LAST "IncludesLastItemInRange=\"true\" TotalItemsInView=\"1\""
#define MORE "IncludesLastItemInRange=\"false\" TotalItemsInView=\"2\""
#define END  "IncludesLastItemInRange=\"true\" TotalItemsInView=\"2\""
#define PROPERTY(value)                                                                     \
    "<t:ExtendedProperty><t:ExtendedFieldURI DistinguishedPropertySetId=\"PublicStrings\" " \
    "PropertyName=\"exsyncd-submission-id\" PropertyType=\"String\"/><t:Value>" value       \
    "</t:Value></t:ExtendedProperty>"
#define ITEM(id, submitted, property)                                               \
    "<t:Message><t:ItemId Id=\"" id "\" ChangeKey=\"K\"/><t:IsSubmitted>" submitted \
    "</t:IsSubmitted>" property "</t:Message>"
#define FIRST  PROPERTY("11111111-aaaa-4000-8000-000000000001")
#define SECOND PROPERTY("22222222-BBBB-4000-8000-000000000002")
#define OTHER  PROPERTY("33333333-cccc-4000-8000-000000000003")

static void submissions_are_found_in_three_folders(void **state)
{
    (void)state;
    struct world *world = world_create();
    start_search(world);
    answer(&world->pool,
           ANSWER("FindItem", FOLDER(LAST, ITEM("D", "false", FIRST))
                                  FOLDER(LAST, ITEM("O", "true", SECOND) ITEM("P", "false", OTHER))
                                      FOLDER(LAST, ITEM("S", "false", FIRST))));
    assert_done(world, "");
    assert_string_equal(buffer_string(&world->log),
                        "0 drafts D K\n1 outbox O K submitted\n0 sent S K\n");
    start_search(world);
    answer(&world->pool, ANSWER("FindItem", FOLDER(LAST, "") FOLDER(LAST, "") FOLDER(LAST, "")));
    assert_done(world, "");
    assert_string_equal(buffer_string(&world->log), "");
    world_free(world);
}

static void a_search_reads_all_pages(void **state)
{
    (void)state;
    struct world *world = world_create();
    start_search(world);
    answer(&world->pool, ANSWER("FindItem", FOLDER(LAST, ITEM("D", "false", FIRST)) FOLDER("", "")
                                                FOLDER(MORE, ITEM("S", "0", OTHER))));
    assert_int_equal(world->done, 0);
    assert_int_equal(world->pool.started, 2);
    assert_non_null(strstr(world->pool.body.data, "Offset=\"1\""));
    answer(&world->pool,
           ANSWER("FindItem", FOLDER(LAST, "") FOLDER("", "") FOLDER(END, ITEM("T", "0", SECOND))));
    assert_done(world, "");
    assert_string_equal(buffer_string(&world->log), "0 drafts D K\n1 sent T K\n");
    world_free(world);
}

static void a_folder_that_changes_between_pages_is_searched_again_by_the_caller(void **state)
{
    (void)state;
    struct world *world = world_create();
    start_search(world);
    answer(&world->pool, ANSWER("FindItem", FOLDER(LAST, "") FOLDER(LAST, "")
                                                FOLDER(MORE, ITEM("S", "0", OTHER))));
    answer(&world->pool, ANSWER("FindItem", FOLDER(LAST, "") FOLDER(LAST, "") FOLDER(LAST, "")));
    assert_false(world->failure.permanent);
    assert_done(world, "FolderChanged");
    world_free(world);
}

/* Nothing may be taken for absent that was only not told. */
static void a_search_that_is_not_whole_is_a_failure(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        const char *code;
    } cases[] = {
        {ANSWER("FindItem", FOLDER(LAST, "") FOLDER(LAST, "")), "NoRootFolder"},
        {ANSWER("FindItem", FOLDER(LAST, "") SUCCESS("FindItem", "") FOLDER(LAST, "")),
         "NoRootFolder"},
        {ANSWER("FindItem",
                FOLDER(LAST, "") REFUSAL("FindItem", "ErrorFolderNotFound") FOLDER(LAST, "")),
         "ErrorFolderNotFound"},
        {ANSWER("FindItem", FOLDER(LAST, "") FOLDER(LAST, "") FOLDER(LAST, ITEM("S", "false", ""))),
         "NoSubmissionId"},
        {ANSWER("FindItem",
                FOLDER(LAST, "") FOLDER(LAST, "") FOLDER(LAST, "<t:Message>" FIRST "</t:Message>")),
         "InvalidItemId"},
        {ANSWER("FindItem", REFUSAL("FindItem", "ErrorInvalidRestriction")),
         "ErrorInvalidRestriction"},
    };
    struct world *world = world_create();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start_search(world);
        answer(&world->pool, cases[i].answer);
        assert_done(world, cases[i].code);
        assert_string_equal(buffer_string(&world->log), "");
    }
    world_free(world);
}

/* A message that cannot be read spoils each search that finds it, and only those. */
static void a_search_that_one_message_may_spoil_can_be_divided(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        bool divisible;
    } cases[] = {
        {FAULT("a:ErrorInternalServerError"), true},
        {ANSWER("FindItem", FOLDER(LAST, "") REFUSAL("FindItem", "ErrorItemCorrupt")), true},
        {ANSWER("FindItem", FOLDER(LAST, "") FOLDER(LAST, "") FOLDER(LAST, ITEM("S", "false", ""))),
         true},
        {"<not XML", true},
        {FAULT("a:ErrorServerBusy"), false},
        {FAULT("a:ErrorImpersonateUserDenied"), false},
        {ANSWER("FindItem", FOLDER(LAST, "") REFUSAL("FindItem", "ErrorItemNotFound")), false},
    };
    struct world *world = world_create();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start_search(world);
        answer(&world->pool, cases[i].answer);
        if (world->failure.divisible != cases[i].divisible)
            fail_msg("%s", world->failure.code);
    }
    for (int reached = 0; reached <= 1; reached++) {
        struct http_response cut = {.failure = lost("CURLE_GOT_NOTHING")};
        if (!reached)
            cut.failure.scope = FAILURE_SCOPE_PROFILE;
        start_search(world);
        end_with(&world->pool, &cut);
        assert_int_equal(world->failure.divisible, reached);
    }
    world_free(world);
}

static void a_search_without_an_end_is_given_up(void **state)
{
    (void)state;
    struct world *world = world_create();
    start_search(world);
    for (unsigned i = 0; i < 1000 && world->done == 0; i++)
        answer(&world->pool,
               ANSWER("FindItem", FOLDER("", "") FOLDER("", "") FOLDER("", ITEM("S", "0", OTHER))));
    assert_done(world, "TooManyPages");
    world_free(world);
}

/* Memory does not depend on what a server makes up. */
static void a_search_that_finds_more_than_there_can_be_is_given_up(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct buffer items = {0};
    for (unsigned i = 0; i < 300; i++)
        buffer_append_format(&items, ITEM("M%u", "0", FIRST), i);
    struct buffer page = {0};
    buffer_append_format(&page, ANSWER("FindItem", FOLDER("", "") FOLDER("", "") FOLDER("", "%s")),
                         items.data);
    start_search(world);
    unsigned pages = 0;
    for (; pages < 1000 && world->done == 0; pages++)
        answer(&world->pool, page.data);
    assert_done(world, "TooManyMatches");
    assert_true(pages < 10);
    buffer_release(&items);
    buffer_release(&page);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drafts_are_known_by_what_the_server_says),
        cmocka_unit_test(a_question_is_never_in_doubt),
        cmocka_unit_test(submissions_are_found_in_three_folders),
        cmocka_unit_test(a_search_reads_all_pages),
        cmocka_unit_test(a_folder_that_changes_between_pages_is_searched_again_by_the_caller),
        cmocka_unit_test(a_search_that_is_not_whole_is_a_failure),
        cmocka_unit_test(a_search_that_one_message_may_spoil_can_be_divided),
        cmocka_unit_test(a_search_without_an_end_is_given_up),
        cmocka_unit_test(a_search_that_finds_more_than_there_can_be_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
