#include "base/buffer.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void an_empty_buffer_is_an_empty_string(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_string_equal(buffer_string(&buffer), "");
    char *taken = buffer_take(&buffer);
    assert_string_equal(taken, "");
    memory_free(taken);
    buffer_release(&buffer);
}

static void bytes_are_always_followed_by_a_nul(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (size_t i = 0; i < 1000; i++) {
        buffer_append_char(&buffer, 'x');
        assert_int_equal(buffer.length, i + 1);
        assert_int_equal(buffer.data[buffer.length], '\0');
    }
    buffer_release(&buffer);
}

static void zero_bytes_within_are_kept(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_append(&buffer, "a\0b", 3);
    assert_int_equal(buffer.length, 3);
    assert_memory_equal(buffer.data, "a\0b", 4);
    buffer_release(&buffer);
}

static void a_format_longer_than_the_room_is_written_whole(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_append_string(&buffer, "begin ");
    buffer_append_format(&buffer, "%0500d", 7);
    assert_int_equal(buffer.length, 506);
    assert_int_equal(strlen(buffer.data), 506);
    assert_int_equal(buffer.data[505], '7');
    buffer_release(&buffer);
}

static void a_format_that_just_fits_or_just_not_is_written_whole(void **state)
{
    (void)state;
    for (int length = 55; length < 75; length++) {
        struct buffer buffer = {0};
        buffer_append_format(&buffer, "%*s", length, "end");
        assert_int_equal(buffer.length, length);
        assert_string_equal(buffer.data + length - 3, "end");
        buffer_release(&buffer);
    }
}

static void consuming_takes_from_the_front(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_consume(&buffer, 0);
    buffer_append_string(&buffer, "one two");
    buffer_consume(&buffer, 4);
    assert_string_equal(buffer_string(&buffer), "two");
    buffer_consume(&buffer, 3);
    assert_string_equal(buffer_string(&buffer), "");
    buffer_release(&buffer);
}

static void clearing_keeps_the_memory_and_taking_gives_it_away(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_append_string(&buffer, "first");
    size_t capacity = buffer.capacity;
    buffer_clear(&buffer);
    assert_int_equal(buffer.capacity, capacity);
    assert_string_equal(buffer_string(&buffer), "");
    buffer_append_string(&buffer, "second");
    char *taken = buffer_take(&buffer);
    assert_string_equal(taken, "second");
    assert_null(buffer.data);
    buffer_append_string(&buffer, "third");
    assert_string_equal(taken, "second");
    memory_free(taken);
    buffer_release(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_is_an_empty_string),
        cmocka_unit_test(bytes_are_always_followed_by_a_nul),
        cmocka_unit_test(zero_bytes_within_are_kept),
        cmocka_unit_test(a_format_longer_than_the_room_is_written_whole),
        cmocka_unit_test(a_format_that_just_fits_or_just_not_is_written_whole),
        cmocka_unit_test(consuming_takes_from_the_front),
        cmocka_unit_test(clearing_keeps_the_memory_and_taking_gives_it_away),
    };
    return cmocka_run_group_tests_name("base/buffer", tests, NULL, NULL);
}
