#include "base/memory.h"
#include "mail/line_endings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LONGEST = 8 };

/* What must come out, one byte after the other. */
static size_t expected(const char *bytes, size_t length, char *output)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '\r' || i + 1 == length || bytes[i + 1] != '\n')
            output[count++] = bytes[i];
    }
    return count;
}

/* Converts in the pieces that the bits of `cuts` make: bit i set is a cut behind byte i. Each piece
 * comes from and goes to memory of exactly the size that is promised. */
static size_t convert(const char *bytes, size_t length, unsigned cuts, char *output)
{
    struct line_endings state = {0};
    size_t count = 0;
    size_t begin = 0;
    for (size_t end = 1; end <= length; end++) {
        if (end < length && (cuts & 1U << (end - 1)) == 0)
            continue;
        char *piece = memory_allocate(end - begin);
        char *room = memory_allocate(end - begin + 1);
        memcpy(piece, bytes + begin, end - begin);
        size_t added = line_endings_convert(&state, piece, end - begin, room);
        memcpy(output + count, room, added);
        count += added;
        memory_free(piece);
        memory_free(room);
        begin = end;
    }
    return count + line_endings_end(&state, output + count);
}

static void every_text_cut_at_every_place_gives_the_same(void **state)
{
    (void)state;
    static const char letters[] = {'\r', '\n', 'x'};
    size_t texts = 1;
    for (size_t length = 1; length <= LONGEST; length++) {
        texts *= 3;
        for (size_t text = 0; text < texts; text++) {
            char bytes[LONGEST];
            size_t number = text;
            for (size_t i = 0; i < length; i++, number /= 3)
                bytes[i] = letters[number % 3];
            char right[LONGEST];
            size_t count = expected(bytes, length, right);
            unsigned all_cuts = 1U << (length - 1);
            /* All cuts for short texts, each single one and all at once for the others. */
            for (unsigned cuts = 0; cuts < all_cuts; cuts++) {
                if (length > 6 && (cuts & (cuts - 1)) != 0 && cuts != all_cuts - 1)
                    continue;
                char output[LONGEST + 1];
                assert_int_equal(convert(bytes, length, cuts, output), count);
                assert_memory_equal(output, right, count);
            }
        }
    }
}

static void an_empty_piece_changes_nothing(void **state)
{
    (void)state;
    struct line_endings line_endings = {0};
    char output[4];
    assert_int_equal(line_endings_convert(&line_endings, "a\r", 2, output), 1);
    assert_int_equal(line_endings_convert(&line_endings, "", 0, output), 0);
    assert_int_equal(line_endings_convert(&line_endings, "\n", 1, output), 1);
    assert_int_equal(output[0], '\n');
    assert_int_equal(line_endings_end(&line_endings, output), 0);
}

/* --- to CRLF --- */

/* One byte after the other: whatever ends a line becomes CRLF. */
static size_t expected_crlf(const char *bytes, size_t length, char *output)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n' && i > 0 && bytes[i - 1] == '\r')
            continue;
        bool ends = bytes[i] == '\r' || bytes[i] == '\n';
        output[count++] = ends ? '\r' : bytes[i];
        if (ends)
            output[count++] = '\n';
    }
    return count;
}

static void every_text_of_any_line_ends_cut_anywhere_becomes_crlf(void **state)
{
    (void)state;
    static const char letters[] = {'\r', '\n', 'x'};
    enum { LENGTH = 7, TEXTS = 3 * 3 * 3 * 3 * 3 * 3 * 3 };
    for (size_t text = 0; text < TEXTS; text++) {
        char bytes[LENGTH];
        size_t number = text;
        for (size_t i = 0; i < LENGTH; i++, number /= 3)
            bytes[i] = letters[number % 3];
        char right[2 * LENGTH];
        size_t count = expected_crlf(bytes, LENGTH, right);
        for (size_t cut = 0; cut <= LENGTH; cut++) {
            struct line_endings_crlf line_endings = {0};
            char output[2 * LENGTH];
            size_t first = line_endings_to_crlf(&line_endings, bytes, cut, output);
            size_t second =
                line_endings_to_crlf(&line_endings, bytes + cut, LENGTH - cut, output + first);
            assert_int_equal(first + second, count);
            assert_memory_equal(output, right, count);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_cut_at_every_place_gives_the_same),
        cmocka_unit_test(an_empty_piece_changes_nothing),
        cmocka_unit_test(every_text_of_any_line_ends_cut_anywhere_becomes_crlf),
    };
    return cmocka_run_group_tests_name("mail: line endings", tests, NULL, NULL);
}
