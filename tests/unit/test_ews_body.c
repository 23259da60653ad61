/* Bodies with gaps that are filled on the way out. */
#include "ews_feed.h"
#include "ews_supply.h"

static struct supply supplies[3];

/* "<a>" SHORT "</a><b>" EMPTY "</b>" LONG */
static void make(struct ews_body *body, struct failure *failure, const char *long_text)
{
    *body = (struct ews_body){0};
    supplies[0] = (struct supply){.text = "Hello"};
    supplies[1] = (struct supply){.text = ""};
    supplies[2] = (struct supply){.text = long_text};
    const struct backend_content contents[] = {
        supply_content(&supplies[0]), supply_content(&supplies[1]), supply_content(&supplies[2])};
    buffer_append_string(&body->text, "<a>");
    ews_body_add_gap(body, &contents[0]);
    buffer_append_string(&body->text, "</a><b>");
    ews_body_add_gap(body, &contents[1]);
    buffer_append_string(&body->text, "</b>");
    ews_body_add_gap(body, &contents[2]);
    ews_body_seal(body, failure);
}

static const char whole[] = "<a>SGVsbG8=</a><b></b>MDEyMzQ1Njc4OQ==";

static void gaps_are_filled_whatever_the_pieces_are(void **state)
{
    (void)state;
    struct ews_body body;
    struct failure failure = {0};
    struct buffer bytes = {0};
    for (size_t size = 1; size < 50; size++) {
        for (size_t piece = 0; piece < 12; piece++) {
            make(&body, &failure, "0123456789");
            supplies[0].piece = supplies[2].piece = piece;
            supplies[0].pauses = supplies[2].pauses = (unsigned)(piece % 3);
            assert_int_equal(body.source.length, strlen(whole));
            buffer_clear(&bytes);
            assert_true(drain(&body.source, size, &bytes));
            assert_string_equal(buffer_string(&bytes), whole);
            assert_int_equal(supplies[0].rewinds + supplies[2].rewinds, 0);
            ews_body_release(&body);
        }
    }
    buffer_release(&bytes);
}

static void a_body_can_be_sent_again_from_everywhere(void **state)
{
    (void)state;
    struct ews_body body;
    struct failure failure = {0};
    struct buffer bytes = {0};
    char room[100];
    for (size_t taken = 0; taken <= strlen(whole); taken++) {
        make(&body, &failure, "0123456789");
        supplies[2].piece = 4;
        for (size_t i = 0; i < taken; i++)
            assert_int_equal(body.source.read(body.source.argument, room, 1), 1);
        body.source.rewind(body.source.argument);
        assert_int_equal(supplies[0].at + supplies[2].at, 0);
        buffer_clear(&bytes);
        assert_true(drain(&body.source, 7, &bytes));
        assert_string_equal(buffer_string(&bytes), whole);
        ews_body_release(&body);
    }
    buffer_release(&bytes);
}

static void a_message_that_cannot_be_read_ends_the_body(void **state)
{
    (void)state;
    struct ews_body body;
    struct failure failure = {0};
    struct buffer bytes = {0};
    make(&body, &failure, "0123456789");
    supplies[2].piece = 2;
    supplies[2].fails_at = 4;
    assert_false(drain(&body.source, 8, &bytes));
    assert_string_equal(failure.code, "EIO");
    buffer_release(&bytes);
    ews_body_release(&body);
}

static void a_large_message_goes_through_small_buffers(void **state)
{
    (void)state;
    enum { LARGE = 300001 };
    struct ews_body body;
    struct failure failure = {0};
    struct buffer bytes = {0};
    char *text = memory_allocate(LARGE + 1);
    for (size_t i = 0; i < LARGE; i++)
        text[i] = (char)(1 + i * 31 % 255);
    make(&body, &failure, text);
    assert_true(drain(&body.source, 16384, &bytes));
    struct base64 decoder = {0};
    char *decoded = memory_allocate(BASE64_DECODED_MAX(bytes.length));
    size_t start = strlen("<a>SGVsbG8=</a><b></b>");
    size_t length = base64_decode(&decoder, bytes.data + start, bytes.length - start, decoded);
    assert_true(base64_complete(&decoder));
    assert_int_equal(length, LARGE);
    assert_memory_equal(decoded, text, LARGE);
    memory_free(decoded);
    memory_free(text);
    buffer_release(&bytes);
    ews_body_release(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaps_are_filled_whatever_the_pieces_are),
        cmocka_unit_test(a_body_can_be_sent_again_from_everywhere),
        cmocka_unit_test(a_message_that_cannot_be_read_ends_the_body),
        cmocka_unit_test(a_large_message_goes_through_small_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
