#include "config/config_suggest.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

/* Longer words are not compared; no word of the configuration's own is. */
enum { LONGEST = 63 };

/* People mix up case, and dashes with underscores; neither counts as a difference. */
static char fold(char character)
{
    return character == '-' ? '_' : (char)tolower((unsigned char)character);
}

static size_t minimum(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: letters inserted, left out, replaced, or two neighbours swapped. */
static size_t edit_distance(const char *left, const char *right)
{
    size_t left_length = strlen(left);
    size_t right_length = strlen(right);
    if (left_length > LONGEST || right_length > LONGEST)
        return SIZE_MAX;
    size_t rows[3][LONGEST + 1] = {{0}};
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= right_length; j++)
        above[j] = j;
    for (size_t i = 1; i <= left_length; i++) {
        row[0] = i;
        for (size_t j = 1; j <= right_length; j++) {
            size_t replaced = fold(left[i - 1]) != fold(right[j - 1]);
            row[j] = minimum(minimum(row[j - 1], above[j]) + 1, above[j - 1] + replaced);
            if (i > 1 && j > 1 && fold(left[i - 1]) == fold(right[j - 2]) &&
                fold(left[i - 2]) == fold(right[j - 1]))
                row[j] = minimum(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[right_length];
}

/* "user" for "username": a word that was cut short is near, too. */
static int is_beginning(const char *word, const char *whole)
{
    size_t i = 0;
    while (word[i] != '\0' && whole[i] != '\0' && fold(word[i]) == fold(whole[i]))
        i++;
    return i >= 3 && word[i] == '\0';
}

struct config_suggestion config_suggestion_start(const char *wrong)
{
    return (struct config_suggestion){.wrong = wrong, .best = NULL, .distance = SIZE_MAX};
}

void config_suggestion_consider(struct config_suggestion *suggestion, const char *candidate)
{
    size_t length = strlen(suggestion->wrong);
    size_t distance = edit_distance(suggestion->wrong, candidate);
    size_t allowed = length < 3 ? length / 2 : 1 + (length - 1) / 4;
    if (distance > allowed && is_beginning(suggestion->wrong, candidate))
        distance = allowed;
    if (distance <= allowed && distance < suggestion->distance) {
        suggestion->best = candidate;
        suggestion->distance = distance;
    }
}
