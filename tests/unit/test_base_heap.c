#include "base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { THINGS = 500 };

struct thing {
    int number;
    struct heap_entry entry;
};

/* A fixed sequence that looks like chance, so that a failure comes again. */
static uint64_t next_key(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 54; /* 0..1023: equal keys happen */
}

static void fill(struct heap *heap, struct thing *things, uint64_t seed)
{
    for (int i = 0; i < THINGS; i++) {
        things[i] = (struct thing){.number = i};
        heap_insert(heap, &things[i].entry, next_key(&seed));
    }
}

static size_t drain_in_order(struct heap *heap)
{
    uint64_t last = 0;
    size_t count = 0;
    struct heap_entry *entry;
    while ((entry = heap_top(heap)) != NULL) {
        assert_true(entry->key >= last);
        last = entry->key;
        heap_remove(heap, entry);
        assert_false(heap_contains(entry));
        count++;
    }
    return count;
}

static void entries_come_out_by_key(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct thing things[THINGS];
    fill(&heap, things, 1);
    assert_int_equal(drain_in_order(&heap), THINGS);
    heap_release(&heap);
}

static void entries_removed_from_the_middle_leave_the_others_in_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 50; seed++) {
        struct heap heap = {0};
        struct thing things[THINGS];
        fill(&heap, things, seed);
        uint64_t choice = seed;
        size_t removed = 0;
        for (int i = 0; i < THINGS; i++) {
            if (next_key(&choice) % 3 != 0)
                continue;
            heap_remove(&heap, &things[i].entry);
            removed++;
        }
        assert_int_equal(drain_in_order(&heap), THINGS - removed);
        heap_release(&heap);
    }
}

static void entries_with_a_new_key_find_their_new_place(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 50; seed++) {
        struct heap heap = {0};
        struct thing things[THINGS];
        fill(&heap, things, seed);
        uint64_t choice = seed;
        for (int i = 0; i < THINGS; i += 2)
            heap_update(&heap, &things[i].entry, next_key(&choice));
        assert_int_equal(drain_in_order(&heap), THINGS);
        heap_release(&heap);
    }
}

static void an_entry_leads_back_to_its_struct(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct thing thing = {.number = 42};
    heap_insert(&heap, &thing.entry, 1);
    assert_int_equal(heap_container(heap_top(&heap), struct thing, entry)->number, 42);
    heap_release(&heap);
}

static void removing_what_is_not_in_the_heap_does_nothing(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct thing inside = {0};
    struct thing outside = {0};
    heap_insert(&heap, &inside.entry, 1);
    heap_remove(&heap, &outside.entry);
    assert_ptr_equal(heap_top(&heap), &inside.entry);
    heap_remove(&heap, &inside.entry);
    heap_remove(&heap, &inside.entry);
    assert_null(heap_top(&heap));
    heap_release(&heap);
}

static void a_released_heap_can_be_used_again(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct thing thing = {0};
    heap_insert(&heap, &thing.entry, 1);
    heap_release(&heap);
    assert_false(heap_contains(&thing.entry));
    heap_insert(&heap, &thing.entry, 2);
    assert_ptr_equal(heap_top(&heap), &thing.entry);
    heap_release(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_out_by_key),
        cmocka_unit_test(entries_removed_from_the_middle_leave_the_others_in_order),
        cmocka_unit_test(entries_with_a_new_key_find_their_new_place),
        cmocka_unit_test(an_entry_leads_back_to_its_struct),
        cmocka_unit_test(removing_what_is_not_in_the_heap_does_nothing),
        cmocka_unit_test(a_released_heap_can_be_used_again),
    };
    return cmocka_run_group_tests_name("base/heap", tests, NULL, NULL);
}
