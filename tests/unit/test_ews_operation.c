#include "ews_world.h"

/* --- list --- */

static void listed(void *argument, const struct failure *failure, const struct backend_page *page)
{
    struct world *world = argument;
    assert_true((failure == NULL) == (page != NULL));
    note_done(world, failure);
    for (size_t i = 0; page != NULL && i < page->count; i++)
        buffer_append_format(&world->log, "%s\n", page->items[i].reference);
}

#define PAGE(items)                                                                          \
    ANSWER("FindItem", "<m:FindItemResponseMessage ResponseClass=\"Success\"><m:RootFolder>" \
                       "<t:Items>" items "</t:Items></m:RootFolder>"                         \
                       "</m:FindItemResponseMessage>")

static void a_list_is_one_request_and_one_end(void **state)
{
    (void)state;
    struct world *world = world_create();
    backend_list_start(world->backend, &world->mailbox, ":inbox", 0, 10, NULL, listed, world);
    assert_int_equal(world->done, 0);
    assert_string_equal(world->pool.request->mailbox_anchor, "ann@example.com");
    assert_string_equal(world->pool.request->activity, "activity");
    assert_ptr_equal(world->pool.request->cookies, &world->cookies);
    assert_false(world->pool.request->changes);
    answer(&world->pool, PAGE("<t:Message><t:ItemId Id=\"A\" ChangeKey=\"1\"/></t:Message>"));
    assert_done(world, "");
    assert_string_equal(buffer_string(&world->log), "A 1\n");
    world_free(world);
}

/* --- list: a page that is known --- */

struct looks {
    struct world *world;
    struct backend_mark mark; /* of the last page */
    size_t count;             /* its items */
    bool same;
};

static void looked(void *argument, const struct failure *failure, const struct backend_page *page)
{
    struct looks *looks = argument;
    note_done(looks->world, failure);
    if (page == NULL)
        return;
    looks->mark = page->mark;
    looks->count = page->count;
    looks->same = page->same;
}

static void look(struct looks *looks, const char *answer, const struct backend_mark *known,
                 const struct http_response *response)
{
    struct world *world = looks->world;
    const struct backend_mark copy = known == NULL ? (struct backend_mark){0} : *known;
    looks->same = false;
    looks->count = 0;
    backend_list_start(world->backend, &world->mailbox, ":inbox", 0, 10,
                       known == NULL ? NULL : &copy, looked, looks);
    give(&world->pool, answer, 100);
    end_with(&world->pool, response);
}

#define ITEM(id) "<t:Message><t:ItemId Id=\"" id "\"/></t:Message>"

static const struct http_response whole_answer = {.status = 200};

static void an_answer_that_is_known_comes_without_its_items(void **state)
{
    (void)state;
    struct looks looks = {.world = world_create()};
    const char *page = PAGE(ITEM("A"));
    const char *reworded = PAGE("<t:Message><t:ItemId Id=\"A\"/><t:Size>1</t:Size></t:Message>");
    look(&looks, page, NULL, &whole_answer);
    assert_done(looks.world, "");
    assert_false(looks.same);
    assert_int_equal(looks.count, 1);
    const struct backend_mark first = looks.mark;

    look(&looks, page, &first, &whole_answer);
    assert_done(looks.world, "");
    assert_true(looks.same);
    assert_int_equal(looks.count, 0);
    assert_memory_equal(&looks.mark, &first, sizeof first);

    look(&looks, reworded, &first, &whole_answer);
    assert_done(looks.world, "");
    assert_true(looks.same);
    assert_int_equal(looks.count, 0);
    assert_true(digest_equal(&looks.mark.page, &first.page));
    assert_false(digest_equal(&looks.mark.answer, &first.answer));

    look(&looks, PAGE(ITEM("B")), &first, &whole_answer);
    assert_done(looks.world, "");
    assert_false(looks.same);
    assert_int_equal(looks.count, 1);
    world_free(looks.world);
}

static void a_known_answer_that_has_not_come_whole_is_none(void **state)
{
    (void)state;
    struct looks looks = {.world = world_create()};
    const char *page = PAGE(ITEM("A"));
    const struct http_response broken = {.status = 200, .failure = lost("CURLE_PARTIAL_FILE")};
    const struct http_response refused = {.status = 503};
    look(&looks, page, NULL, &whole_answer);
    assert_done(looks.world, "");
    const struct backend_mark first = looks.mark;
    look(&looks, page, &first, &broken);
    assert_done(looks.world, "CURLE_PARTIAL_FILE");
    look(&looks, page, &first, &refused);
    assert_done(looks.world, "HTTP 503");
    look(&looks, "", &first, &whole_answer);
    assert_done(looks.world, "XmlMalformed");
    assert_false(looks.same);
    world_free(looks.world);
}

static void a_long_answer_is_known_by_its_page_alone(void **state)
{
    (void)state;
    struct looks looks = {.world = world_create()};
    const struct digest none = {{0}};
    struct buffer page = {0};
    buffer_append_string(&page, PAGE(ITEM("A")));
    for (size_t i = 0; i < 40000; i++)
        buffer_append_char(&page, ' ');
    look(&looks, page.data, NULL, &whole_answer);
    assert_done(looks.world, "");
    assert_false(looks.same);
    assert_int_equal(looks.count, 1);
    assert_true(digest_equal(&looks.mark.answer, &none));
    const struct backend_mark first = looks.mark;
    look(&looks, page.data, &first, &whole_answer);
    assert_done(looks.world, "");
    assert_true(looks.same);
    buffer_release(&page);
    world_free(looks.world);
}

/* --- list: trouble --- */

static void a_lost_connection_is_what_http_says(void **state)
{
    (void)state;
    struct world *world = world_create();
    const char *page = PAGE("<t:Message><t:ItemId Id=\"A\"/></t:Message>");
    for (size_t half = 0; half < 2; half++) {
        backend_list_start(world->backend, &world->mailbox, ":inbox", 0, 10, NULL, listed, world);
        const struct http_response response = {.status = half == 0 ? 0 : 200,
                                               .failure = lost("CURLE_RECV_ERROR")};
        if (half == 1)
            give(&world->pool, page, strlen(page));
        end_with(&world->pool, &response);
        assert_string_equal(world->failure.step, "FindItem");
        assert_false(world->failure.divisible); /* there is nothing to divide */
        assert_done(world, "CURLE_RECV_ERROR");
    }
    world_free(world);
}

static void a_useless_answer_is_read_on_only_for_a_while(void **state)
{
    (void)state;
    struct world *world = world_create();
    const struct http_response ok = {.status = 200};
    char *rubbish = memory_allocate(200001);
    memset(rubbish, 'x', 200000);
    backend_list_start(world->backend, &world->mailbox, ":inbox", 0, 10, NULL, listed, world);
    struct http_request *request = world->pool.request;
    size_t taken = 0;
    while (taken < 200000 && request->on_data(request, 200, rubbish, 10000) == HTTP_DATA_TAKEN)
        taken += 10000;
    assert_true(taken > 0 && taken < 100000);
    end_with(&world->pool, &ok);
    assert_done(world, "XmlMalformed");
    memory_free(rubbish);
    world_free(world);
}

static void a_cancelled_operation_is_silent(void **state)
{
    (void)state;
    struct world *world = world_create();
    for (size_t fed = 0; fed < 2; fed++) {
        struct backend_operation *operation = backend_list_start(
            world->backend, &world->mailbox, ":inbox", 0, 10, NULL, listed, world);
        if (fed == 1)
            give(&world->pool, XML_HEAD SOAP_OPEN, 20);
        backend_cancel(operation);
        assert_null(world->pool.request);
        assert_int_equal(world->done, 0);
    }
    world_free(world);
}

/* --- fetch --- */

static void count_call(struct world *world)
{
    if (world->cancel_call > 0 && --world->cancel_call == 0)
        backend_cancel(world->operation);
}

static void item_begin(void *argument, size_t index)
{
    struct world *world = argument;
    buffer_append_format(&world->log, "begin %zu\n", index);
    count_call(world);
}

static bool item_ready(void *argument)
{
    struct world *world = argument;
    if (world->not_ready == 0)
        return true;
    if (--world->not_ready == 0)
        backend_fetch_resume(world->operation);
    return false;
}

static void item_data(void *argument, size_t index, const char *bytes, size_t length)
{
    struct world *world = argument;
    buffer_append_format(&world->log, "data %zu %.*s\n", index, (int)length, bytes);
    count_call(world);
}

static void item_end(void *argument, size_t index, const struct failure *failure)
{
    struct world *world = argument;
    buffer_append_format(&world->log, "end %zu %s\n", index, failure == NULL ? "" : failure->code);
    count_call(world);
}

static const struct backend_receiver receiver = {item_begin, item_ready, item_data, item_end};

static void fetched(void *argument, const struct failure *failure)
{
    note_done(argument, failure);
    count_call(argument);
}

static const char *const references[] = {"A 1", "B 2", "C 3"};

#define MIME(base64)                                                       \
    "<m:GetItemResponseMessage "                                           \
    "ResponseClass=\"Success\"><m:Items><t:Message><t:MimeContent>" base64 \
    "</t:MimeContent></t:Message></m:Items></m:GetItemResponseMessage>"

static void start_fetch(struct world *world)
{
    buffer_clear(&world->log);
    world->operation = backend_fetch_start(world->backend, &world->mailbox, references, 3, 0,
                                           &receiver, fetched, world);
}

static void a_fetch_waits_for_its_receiver(void **state)
{
    (void)state;
    struct world *world = world_create();
    const struct http_response ok = {.status = 200};
    const char *whole = ANSWER("GetItem", MIME("QUJD") MIME("REVG"));
    start_fetch(world);
    world->not_ready = 5;
    assert_int_equal(give(&world->pool, whole, strlen(whole)), 5);
    assert_true(world->pool.resumed);
    assert_int_equal(world->done, 0);
    end_with(&world->pool, &ok);
    assert_done(world, "");
    assert_string_equal(buffer_string(&world->log),
                        "begin 0\ndata 0 ABC\nend 0 \nbegin 1\ndata 1 DEF\nend 1 \n"
                        "end 2 NoResponseMessage\n");
    world_free(world);
}

static void a_whole_failure_leaves_items_without_an_end(void **state)
{
    (void)state;
    struct world *world = world_create();
    const struct http_response gone = {.status = 200, .failure = lost("CURLE_PARTIAL_FILE")};
    const char *whole = ANSWER("GetItem", MIME("QUJD") MIME("REVG"));
    start_fetch(world);
    char *part = memory_copy_bytes(whole, (size_t)(strstr(whole, "REVG") - whole) + 6);
    give(&world->pool, part, 50);
    memory_free(part);
    end_with(&world->pool, &gone);
    assert_true(world->failure.divisible);
    assert_done(world, "CURLE_PARTIAL_FILE");
    assert_string_equal(world->log.data, "begin 0\ndata 0 ABC\nend 0 \nbegin 1\ndata 1 DEF\n");
    world_free(world);
}

static void a_receiver_may_cancel_in_any_call(void **state)
{
    (void)state;
    const char *whole = ANSWER("GetItem", MIME("QUJD") MIME("REVG"));
    for (unsigned call = 1; call <= 8; call++) {
        struct world *world = world_create();
        world->cancel_call = call;
        start_fetch(world);
        answer(&world->pool, whole);
        assert_int_equal(world->cancel_call, 0);
        assert_int_equal(world->done, call == 8 ? 1 : 0); /* the 8th is done's own */
        world_free(world);
    }
}

/* --- acknowledge --- */

static void acknowledged(void *argument, const struct failure *failure,
                         const struct failure *failures, size_t count)
{
    struct world *world = argument;
    note_done(world, failure);
    for (size_t i = 0; i < count; i++)
        buffer_append_format(&world->log, "%zu %s\n", i, failures[i].code);
}

#define UPDATED(class, code)                                                         \
    "<m:UpdateItemResponseMessage ResponseClass=\"" class "\"><m:ResponseCode>" code \
                                                          "</m:ResponseCode></"      \
                                                          "m:UpdateItemResponseMessage>"

static void what_is_gone_is_acknowledged(void **state)
{
    (void)state;
    struct world *world = world_create();
    backend_acknowledge_start(world->backend, &world->mailbox, BACKEND_MARK_READ, NULL, references,
                              3, acknowledged, world);
    assert_true(world->pool.request->changes);
    answer(&world->pool, ANSWER("UpdateItem", UPDATED("Error", "ErrorItemNotFound")
                                                  UPDATED("Error", "ErrorIrresolvableConflict")));
    assert_done(world, "");
    assert_string_equal(buffer_string(&world->log),
                        "0 \n1 ErrorIrresolvableConflict\n2 NoResponseMessage\n");
    world_free(world);
}

static void give_documented(struct world *world, const char *name)
{
    struct buffer path = {0};
    buffer_append_format(&path, "tests/data/ews/%s.xml", name);
    struct buffer bytes = load_file(path.data);
    answer(&world->pool, bytes.data);
    buffer_release(&bytes);
    buffer_release(&path);
}

static void documented_acknowledgements_are_read(void **state)
{
    (void)state;
    static const struct {
        enum backend_action action;
        const char *answer;
    } cases[] = {
        {BACKEND_MARK_READ, "updateitem-operation-4-resp"},
        {BACKEND_MOVE, "moveitem-operation-2-resp"},
        {BACKEND_DELETE, "deleteitem-operation-2-resp"},
        {BACKEND_PURGE, "deleteitem-operation-3-resp"}, /* not found: done already */
    };
    struct world *world = world_create();
    for (size_t i = 0; i < 4; i++) {
        buffer_clear(&world->log);
        backend_acknowledge_start(world->backend, &world->mailbox, cases[i].action, ":drafts",
                                  references, 1, acknowledged, world);
        give_documented(world, cases[i].answer);
        assert_done(world, "");
        assert_string_equal(buffer_string(&world->log), "0 \n");
    }
    world_free(world);
}

/* --- folder and probe --- */

static void found_folder(void *argument, const struct failure *failure, const char *folder_id,
                         bool created)
{
    struct world *world = argument;
    assert_true((failure == NULL) == (folder_id != NULL));
    note_done(world, failure);
    buffer_clear(&world->log);
    buffer_append_string(&world->log, folder_id == NULL ? "" : folder_id);
    buffer_append_string(&world->log, created ? " created" : "");
}

static struct backend_operation *start_folder(struct world *world, const char *path, bool create)
{
    return backend_folder_start(world->backend, &world->mailbox, path, create, found_folder, world);
}

#define FOLDERS(last, folders)                                                                    \
    ANSWER("FindFolder", "<m:FindFolderResponseMessage ResponseClass=\"Success\">"                \
                         "<m:RootFolder IncludesLastItemInRange=\"" last "\"><t:Folders>" folders \
                         "</t:Folders></m:RootFolder></m:FindFolderResponseMessage>")
#define FOLDER(id, name) \
    "<t:Folder><t:FolderId Id=\"" id "\"/><t:DisplayName>" name "</t:DisplayName></t:Folder>"
#define CREATED(id)                                                                               \
    ANSWER("CreateFolder", "<m:CreateFolderResponseMessage ResponseClass=\"Success\"><m:Folders>" \
                           "<t:Folder><t:FolderId Id=\"" id "\"/></t:Folder></m:Folders>"         \
                           "</m:CreateFolderResponseMessage>")

static void a_well_known_folder_needs_no_request(void **state)
{
    (void)state;
    struct world *world = world_create();
    start_folder(world, "/inbox/", false);
    assert_int_equal(world->done, 0);
    turn(world);
    assert_done(world, "");
    assert_string_equal(world->log.data, ":inbox");
    assert_int_equal(world->pool.started, 0);
    backend_cancel(start_folder(world, "Drafts", false));
    turn(world);
    assert_int_equal(world->done, 0);
    world_free(world);
}

static void a_path_is_walked_component_by_component(void **state)
{
    (void)state;
    struct world *world = world_create();
    start_folder(world, "Inbox/orders/\xc3\xa4rger", false);
    assert_non_null(strstr(world->pool.body.data, "DistinguishedFolderId Id=\"inbox\""));
    answer(&world->pool, FOLDERS("false", FOLDER("X", "x") FOLDER("Y", "y")));
    assert_non_null(strstr(world->pool.body.data, "Offset=\"2\""));
    answer(&world->pool,
           FOLDERS("true", "<t:SearchFolder><t:DisplayName>Orders</t:DisplayName>"
                           "<t:FolderId Id=\"O\" ChangeKey=\"k\"/></t:SearchFolder>"));
    assert_non_null(strstr(world->pool.body.data, "<t:FolderId Id=\"O\"/>"));
    answer(&world->pool, FOLDERS("true", FOLDER("Z", "\xc3\x84RGER")));
    assert_done(world, "");
    assert_string_equal(world->log.data, "Z");
    world_free(world);
}

static void a_missing_folder_stops_the_mailbox(void **state)
{
    (void)state;
    struct world *world = world_create();
    start_folder(world, "Projects/2026", false);
    assert_non_null(strstr(world->pool.body.data, "Id=\"msgfolderroot\""));
    answer(&world->pool, FOLDERS("true", FOLDER("X", "Project")));
    assert_int_equal(world->failure.scope, FAILURE_SCOPE_MAILBOX);
    assert_true(world->failure.permanent);
    assert_string_equal(world->failure.text, "no folder \"Projects/2026\"");
    assert_done(world, "FolderNotFound");
    world_free(world);
}

static void missing_folders_are_created_when_they_may(void **state)
{
    (void)state;
    struct world *world = world_create();
    start_folder(world, "Projects/2026", true);
    answer(&world->pool, FOLDERS("true", ""));
    assert_non_null(strstr(world->pool.body.data, "<t:DisplayName>Projects</t:DisplayName>"));
    assert_true(world->pool.request->changes);
    answer(&world->pool, CREATED("P"));
    assert_false(world->pool.request->changes);
    answer(&world->pool, FOLDERS("true", ""));
    answer(&world->pool, CREATED("Q"));
    assert_done(world, "");
    assert_string_equal(world->log.data, "Q created");
    start_folder(world, "Projects/2026", true);
    answer(&world->pool, FOLDERS("true", FOLDER("P", "Projects")));
    answer(&world->pool, FOLDERS("true", FOLDER("Q", "2026")));
    assert_done(world, "");
    assert_string_equal(world->log.data, "Q");
    world_free(world);
}

static void a_folder_that_somebody_else_created_is_found(void **state)
{
    (void)state;
    struct world *world = world_create();
    start_folder(world, "Projects", true);
    answer(&world->pool, FOLDERS("true", ""));
    give_documented(world, "createfolder-operation-3-resp"); /* ErrorFolderExists */
    answer(&world->pool, FOLDERS("true", FOLDER("P", "Projects")));
    assert_done(world, "");
    assert_string_equal(world->log.data, "P");
    start_folder(world, "Projects", true);
    answer(&world->pool, FOLDERS("true", ""));
    give_documented(world, "createfolder-operation-3-resp");
    answer(&world->pool, FOLDERS("true", "")); /* exists and is not there: no endless loop */
    assert_done(world, "FolderNotFound");
    world_free(world);
}

/* And none is created: whether it is there is not known. */
static void a_list_of_folders_without_an_end_is_given_up(void **state)
{
    (void)state;
    struct world *world = world_create();
    start_folder(world, "Projects", true);
    for (unsigned i = 0; i < 2000 && world->done == 0; i++)
        answer(&world->pool, FOLDERS("false", FOLDER("X", "x")));
    assert_false(world->failure.permanent);
    assert_done(world, "TooManyPages");
    world_free(world);
}

static void documented_folders_are_read(void **state)
{
    (void)state;
    struct world *world = world_create();
    start_folder(world, "testfolder", false);
    give_documented(world, "findfolder-operation-2-resp");
    assert_done(world, "");
    assert_string_equal(world->log.data, "AQAnAH");
    start_folder(world, "testfolder", false);
    give_documented(world, "findfolder-operation-3-resp");
    assert_done(world, "ErrorInvalidIdMalformed");
    start_folder(world, "new", true);
    answer(&world->pool, FOLDERS("true", ""));
    give_documented(world, "createfolder-operation-2-resp"); /* answers for two folders */
    assert_done(world, "UnexpectedMessage");
    world_free(world);
}

static void probed(void *argument, const struct failure *failure)
{
    note_done(argument, failure);
}

static void a_probe_is_one_cheap_request(void **state)
{
    (void)state;
    struct world *world = world_create();
    static const struct {
        const char *answer;
        const char *code;
    } cases[] = {{"getfolder-operation-2-resp", ""},
                 {"getfolder-operation-3-resp", "ErrorInvalidIdMalformed"}};
    for (size_t i = 0; i < 2; i++) {
        backend_probe_start(world->backend, &world->mailbox, probed, world);
        give_documented(world, cases[i].answer);
        assert_done(world, cases[i].code);
    }
    backend_probe_start(world->backend, &world->mailbox, probed, world);
    answer(&world->pool, ANSWER("GetFolder", ""));
    assert_done(world, "NoResponseMessage");
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_one_request_and_one_end),
        cmocka_unit_test(an_answer_that_is_known_comes_without_its_items),
        cmocka_unit_test(a_known_answer_that_has_not_come_whole_is_none),
        cmocka_unit_test(a_long_answer_is_known_by_its_page_alone),
        cmocka_unit_test(a_lost_connection_is_what_http_says),
        cmocka_unit_test(a_useless_answer_is_read_on_only_for_a_while),
        cmocka_unit_test(a_cancelled_operation_is_silent),
        cmocka_unit_test(a_fetch_waits_for_its_receiver),
        cmocka_unit_test(a_whole_failure_leaves_items_without_an_end),
        cmocka_unit_test(a_receiver_may_cancel_in_any_call),
        cmocka_unit_test(what_is_gone_is_acknowledged),
        cmocka_unit_test(documented_acknowledgements_are_read),
        cmocka_unit_test(a_well_known_folder_needs_no_request),
        cmocka_unit_test(a_path_is_walked_component_by_component),
        cmocka_unit_test(a_missing_folder_stops_the_mailbox),
        cmocka_unit_test(missing_folders_are_created_when_they_may),
        cmocka_unit_test(a_folder_that_somebody_else_created_is_found),
        cmocka_unit_test(a_list_of_folders_without_an_end_is_given_up),
        cmocka_unit_test(documented_folders_are_read),
        cmocka_unit_test(a_probe_is_one_cheap_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
