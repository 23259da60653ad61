/* Creating and sending: what is said of it, and whether it is in doubt. */
#include "ews_supply.h"
#include "ews_world.h"

static const char *const drafts[] = {"A 1", "B 2", "C 3"};
static const char *const ids[] = {"11111111-aaaa-4000-8000-000000000001",
                                  "22222222-bbbb-4000-8000-000000000002"};

/* How a request as a whole can end. */
struct ending {
    const char *answer; /* NULL: none */
    struct http_response http;
    const char *code;
    bool in_doubt;
};

static struct ending endings[] = {
    {NULL, {.in_doubt = true}, "CURLE_GOT_NOTHING", true},
    {NULL, {.in_doubt = false}, "CURLE_COULDNT_CONNECT", false},
    {"<html/>", {.status = 503}, "HTTP 503", true},
    {"<html/>", {.status = 408}, "HTTP 408", true},
    {"<html/>", {.status = 429}, "HTTP 429", false},
    {"<html/>", {.status = 413, .sent_bytes = 5000000}, "HTTP 413", false},
    {"<html/>", {.status = 404, .sent_bytes = 5000000}, "HTTP 404", false},
    {"<html/>", {.status = 502}, "HTTP 502", true},
    {"", {.status = 500}, "HTTP 500", true},
    {"", {.status = 200}, "XmlMalformed", true},
    {"<html>", {.status = 200}, "XmlMalformed", true},
    {XML_HEAD SOAP_OPEN, {.status = 200}, "XmlMalformed", true},
    {FAULT("a:ErrorServerBusy"), {.status = 500}, "ErrorServerBusy", false},
    {FAULT("a:ErrorImpersonateUserDenied"), {.status = 500}, "ErrorImpersonateUserDenied", false},
    {FAULT("a:ErrorSchemaValidation"), {.status = 500}, "ErrorSchemaValidation", false},
    {FAULT("a:ErrorInternalServerError"), {.status = 500}, "ErrorInternalServerError", true},
    {FAULT("a:ErrorTimeoutExpired"), {.status = 200}, "ErrorTimeoutExpired", true},
    {FAULT("s:Server"), {.status = 500}, "Server", true},
};

/* --- create --- */

static struct supply supplies[2];

static void created(void *argument, const struct failure *failure,
                    const struct backend_created *list, size_t count)
{
    struct world *world = argument;
    note_done(world, failure);
    assert_true((failure == NULL) == (list != NULL));
    for (size_t i = 0; i < count; i++) {
        const struct backend_created *one = &list[i];
        assert_true(one->reference == NULL || !failure_is_set(&one->failure));
        buffer_append_format(&world->log, "%s %s%s\n",
                             one->reference == NULL ? "-" : one->reference, one->failure.code,
                             one->failure.in_doubt ? " in doubt" : "");
    }
}

static void start_create(struct world *world, enum backend_create_how how)
{
    supplies[0] = (struct supply){.text = "Hello"};
    supplies[1] = (struct supply){.text = "World"};
    const struct backend_submission submissions[] = {
        {ids[0], NULL, 0, supply_content(&supplies[0])},
        {ids[1], NULL, 0, supply_content(&supplies[1])},
    };
    buffer_clear(&world->log);
    world->operation =
        backend_create_start(world->backend, &world->mailbox, how, submissions, 2, created, world);
}

#define DRAFT(id)                                                                         \
    SUCCESS("CreateItem", "<m:Items><t:Message><t:ItemId Id=\"" id "\" ChangeKey=\"K\"/>" \
                          "</t:Message></m:Items>")

static void drafts_are_told_by_their_references(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct buffer bytes = {0};
    start_create(world, BACKEND_CREATE_DRAFT);
    assert_true(world->pool.request->changes);
    assert_true(drain(world->pool.request->source, 100, &bytes));
    assert_non_null(strstr(bytes.data, "SGVsbG8="));
    assert_non_null(strstr(bytes.data, "V29ybGQ="));
    backend_create_resume(world->operation);
    assert_int_equal(world->pool.told, 1);
    answer(&world->pool, ANSWER("CreateItem", DRAFT("X") DRAFT("Y")));
    assert_done(world, "");
    assert_string_equal(buffer_string(&world->log), "X K \nY K \n");
    buffer_release(&bytes);
    world_free(world);
}

static void each_new_message_has_its_own_outcome(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        const char *drafts;
        const char *sent;
    } cases[] = {
        {ANSWER("CreateItem", DRAFT("X") REFUSAL("CreateItem", "ErrorMimeContentInvalid")),
         "X K \n- ErrorMimeContentInvalid\n", "- \n- ErrorMimeContentInvalid\n"},
        {ANSWER("CreateItem", REFUSAL("CreateItem", "ErrorItemSave") DRAFT("Y")),
         "- ErrorItemSave in doubt\nY K \n", "- ErrorItemSave in doubt\n- \n"},
        {ANSWER("CreateItem", DRAFT("X")), "X K \n- NoResponseMessage in doubt\n",
         "- \n- NoResponseMessage in doubt\n"},
        {ANSWER("CreateItem", SUCCESS("CreateItem", "<m:Items/>") DRAFT("has space")),
         "- NoItemId in doubt\n- NoItemId in doubt\n", "- \n- \n"},
    };
    struct world *world = world_create();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start_create(world, BACKEND_CREATE_DRAFT);
        answer(&world->pool, cases[i].answer);
        assert_done(world, "");
        assert_string_equal(buffer_string(&world->log), cases[i].drafts);
        start_create(world, BACKEND_CREATE_AND_SEND);
        answer(&world->pool, cases[i].answer);
        assert_done(world, "");
        assert_string_equal(buffer_string(&world->log), cases[i].sent);
    }
    world_free(world);
}

static void end_as(struct world *world, const struct ending *ending)
{
    struct http_response http = ending->http;
    if (ending->answer == NULL)
        http.failure = lost(ending->code);
    else
        give(&world->pool, ending->answer, 50);
    end_with(&world->pool, &http);
    if (world->failure.in_doubt != ending->in_doubt)
        fail_msg("%s: %s", ending->code, ending->in_doubt ? "is in doubt" : "is not in doubt");
    assert_done(world, ending->code);
}

static void a_lost_creation_says_whether_it_is_in_doubt(void **state)
{
    (void)state;
    struct world *world = world_create();
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        start_create(world, BACKEND_CREATE_DRAFT);
        end_as(world, &endings[i]);
        assert_string_equal(world->failure.step, "CreateItem");
    }
    world_free(world);
}

static void a_message_that_cannot_be_read_is_told_as_that(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct buffer bytes = {0};
    start_create(world, BACKEND_CREATE_DRAFT);
    supplies[1].piece = 2;
    supplies[1].fails_at = 2;
    struct http_request *request = world->pool.request;
    assert_false(drain(request->source, 100, &bytes));
    const struct http_response response = {.failure = request->source_failure};
    end_with(&world->pool, &response);
    assert_int_equal(world->failure.category, FAILURE_STORAGE);
    assert_false(world->failure.in_doubt);
    assert_done(world, "EIO");
    buffer_release(&bytes);
    world_free(world);
}

static void a_cancelled_creation_is_silent(void **state)
{
    (void)state;
    struct world *world = world_create();
    char room[1000];
    for (unsigned i = 0; i < 2; i++) {
        start_create(world, BACKEND_CREATE_DRAFT);
        const struct http_source *source = world->pool.request->source;
        if (i == 1)
            source->read(source->argument, room, sizeof room);
        backend_cancel(world->operation);
        assert_int_equal(world->done, 0);
    }
    world_free(world);
}

/* --- send --- */

static void sent(void *argument, const struct failure *failure, const struct failure *failures,
                 size_t count)
{
    struct world *world = argument;
    note_done(world, failure);
    for (size_t i = 0; i < count; i++)
        buffer_append_format(&world->log, "%s%s%s\n", failures[i].code,
                             failures[i].gone ? " gone" : "",
                             failures[i].in_doubt ? " in doubt" : "");
}

static void start_send(struct world *world)
{
    buffer_clear(&world->log);
    backend_send_start(world->backend, &world->mailbox, drafts, 3, sent, world);
}

static void each_draft_that_is_sent_has_its_own_outcome(void **state)
{
    (void)state;
    struct world *world = world_create();
    start_send(world);
    assert_true(world->pool.request->changes);
    answer(&world->pool,
           ANSWER("SendItem", SUCCESS("SendItem", "") REFUSAL("SendItem", "ErrorItemNotFound")
                                  REFUSAL("SendItem", "ErrorVirusMessageDeleted")));
    assert_done(world, "");
    assert_string_equal(buffer_string(&world->log),
                        "\nErrorItemNotFound gone\nErrorVirusMessageDeleted\n");
    start_send(world);
    answer(&world->pool, ANSWER("SendItem", REFUSAL("SendItem", "ErrorStaleObject")
                                                REFUSAL("SendItem", "ErrorSendAsDenied")));
    assert_done(world, "");
    assert_string_equal(buffer_string(&world->log), "ErrorStaleObject in doubt\nErrorSendAsDenied\n"
                                                    "NoResponseMessage in doubt\n");
    world_free(world);
}

static void a_lost_sending_says_whether_it_is_in_doubt(void **state)
{
    (void)state;
    struct world *world = world_create();
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        start_send(world);
        end_as(world, &endings[i]);
        assert_false(backend_send_is_unsupported(&world->failure));
    }
    const struct ending unknown = {
        FAULT("a:ErrorInvalidRequest"), {.status = 500}, "ErrorInvalidRequest", false};
    start_send(world);
    end_as(world, &unknown);
    assert_true(backend_send_is_unsupported(&world->failure));
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drafts_are_told_by_their_references),
        cmocka_unit_test(each_new_message_has_its_own_outcome),
        cmocka_unit_test(a_lost_creation_says_whether_it_is_in_doubt),
        cmocka_unit_test(a_message_that_cannot_be_read_is_told_as_that),
        cmocka_unit_test(a_cancelled_creation_is_silent),
        cmocka_unit_test(each_draft_that_is_sent_has_its_own_outcome),
        cmocka_unit_test(a_lost_sending_says_whether_it_is_in_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
