/* docs/exsyncd.conf.5 says what the table of keys says. With --write FILE this program writes the
 * page instead. */
#include "config_folder.h"

#include "config/config_keys.h"
#include "config/config_manual.h"

static const char path[] = "docs/exsyncd.conf.5";

static char *read_page(void)
{
    struct buffer text = {0};
    char block[4096];
    FILE *stream = fopen(path, "r");
    if (stream == NULL)
        fail_msg("%s cannot be read; run this in the root of the tree", path);
    for (size_t count; (count = fread(block, 1, sizeof block, stream)) > 0;)
        buffer_append(&text, block, count);
    fclose(stream);
    return buffer_take(&text);
}

static void the_page_is_what_the_table_says(void **state)
{
    (void)state;
    struct buffer expected = {0};
    config_manual_write(&expected);
    char *page = read_page();
    if (strcmp(page, expected.data) != 0)
        fail_msg("%s differs from the table of keys; write it anew with test_config_manual --write "
                 "%s",
                 path, path);
    memory_free(page);
    buffer_release(&expected);
}

/* The part of the page about a section, up to the next one. */
static char *section_of(const char *page, const struct config_section_description *section)
{
    char title[64];
    snprintf(title, sizeof title, "\n.Ss [%s%s%s]\n", section->keyword,
             section->name != NULL ? " " : "", section->name != NULL ? section->name : "");
    const char *start = strstr(page, title);
    assert_non_null(start);
    start += strlen(title);
    const char *end = strstr(start, "\n.S");
    assert_non_null(end);
    return memory_copy_bytes(start, (size_t)(end - start));
}

static void every_key_stands_in_its_section_once(void **state)
{
    (void)state;
    char *page = read_page();
    for (size_t kind = 0; kind < CONFIG_SECTION_COUNT; kind++) {
        char *section = section_of(page, &config_sections[kind]);
        size_t titles = 0, keys = 0;
        for (const char *at = section; (at = strstr(at, "\n.It Cm ")) != NULL; at++)
            titles++;
        for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
            char title[64];
            if ((size_t)config_keys[i].section != kind)
                continue;
            snprintf(title, sizeof title, "\n.It Cm %s No = Ar ", config_keys[i].name);
            assert_non_null(strstr(section, title));
            keys++;
        }
        assert_int_equal(titles, keys);
        memory_free(section);
    }
    memory_free(page);
}

static int write_page(const char *target)
{
    struct buffer text = {0};
    config_manual_write(&text);
    FILE *stream = fopen(target, "w");
    bool good = stream != NULL && fputs(text.data, stream) >= 0;
    good = stream != NULL && fclose(stream) == 0 && good;
    buffer_release(&text);
    return good ? 0 : 1;
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "--write") == 0)
        return write_page(arguments[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_what_the_table_says),
        cmocka_unit_test(every_key_stands_in_its_section_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
