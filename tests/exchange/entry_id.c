#include "entry_id.h"

#include "base64.h"

#include <string.h>

/* Offsets of the layout, in bytes. */
enum {
    GUID_AT = 4,
    LENGTH_AT = GUID_AT + 36,
    ENTRY_AT = LENGTH_AT + 2,
    FOLDER_COUNTER_AT = ENTRY_AT + 38,
    ITEM_COUNTER_AT = ENTRY_AT + 62,
    FOLDER_SIZE = ENTRY_AT + 46,
    ITEM_SIZE = ENTRY_AT + 70,
    /* The low bit of an item's number is the case of one letter: this byte starts a group of three,
     * its upper six bits are one character, 0 is 'A' and 26 is 'a'. */
    CASE_AT = ITEM_COUNTER_AT + 1,
    LOWER_CASE = 26 << 2
};

_Static_assert(CASE_AT % 3 == 0, "the byte of the case starts a group");

static uint64_t scramble(uint64_t value)
{
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9U;
    value = (value ^ value >> 27) * 0x94D049BB133111EBU;
    return value ^ value >> 31;
}

/* 16 bytes that depend on the owner and on what they are for. */
static void owner_bytes(struct entry_owner owner, uint64_t purpose, uint8_t bytes[static 16])
{
    uint64_t seed = (uint64_t)owner.generation << 32 | owner.mailbox;
    for (size_t half = 0; half < 2; half++) {
        uint64_t value = scramble(seed * 0x9E3779B97F4A7C15U + purpose * 2 + half + 1);
        memcpy(bytes + half * 8, &value, 8);
    }
}

void entry_owner_guid(struct entry_owner owner, char guid[static ENTRY_GUID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];
    char *out = guid;
    owner_bytes(owner, 0, bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

static void write_number(uint8_t *bytes, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(number >> (24 - 8 * i));
}

static uint32_t read_number(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Everything but the counters. */
static void write_frame(uint8_t *bytes, struct entry_owner owner, size_t size)
{
    char guid[ENTRY_GUID_SIZE];
    entry_owner_guid(owner, guid);
    memset(bytes, 0, size);
    bytes[1] = 0x03;
    bytes[2] = 0x24;
    memcpy(bytes + GUID_AT, guid, 36);
    bytes[LENGTH_AT + 1] = (uint8_t)(size - ENTRY_AT);
    owner_bytes(owner, 1, bytes + ENTRY_AT + 4);
    bytes[ENTRY_AT + 20] = size == ITEM_SIZE ? 7 : 1;
    owner_bytes(owner, 2, bytes + ENTRY_AT + 22);
    if (size == ITEM_SIZE)
        owner_bytes(owner, 3, bytes + ENTRY_AT + 46);
}

void entry_append_item_id(struct buffer *buffer, struct entry_owner owner, uint32_t folder,
                          uint64_t item)
{
    uint8_t bytes[ITEM_SIZE];
    write_frame(bytes, owner, ITEM_SIZE);
    write_number(bytes + FOLDER_COUNTER_AT + 2, folder);
    bytes[CASE_AT] = item & 1 ? LOWER_CASE : 0;
    write_number(bytes + ITEM_COUNTER_AT + 2, (uint32_t)(item >> 1));
    base64_append(buffer, bytes, sizeof bytes);
}

void entry_append_folder_id(struct buffer *buffer, struct entry_owner owner, uint32_t folder)
{
    uint8_t bytes[FOLDER_SIZE];
    write_frame(bytes, owner, FOLDER_SIZE);
    write_number(bytes + FOLDER_COUNTER_AT + 2, folder);
    base64_append(buffer, bytes, sizeof bytes);
}

void entry_append_change_key(struct buffer *buffer, struct entry_owner owner, uint64_t change)
{
    uint8_t bytes[30] = {0x09, 0, 0, 0, 0x16, 0, 0, 0};
    owner_bytes(owner, 3, bytes + 8);
    for (int i = 0; i < 6; i++)
        bytes[24 + i] = (uint8_t)(change >> (40 - 8 * i));
    base64_append(buffer, bytes, sizeof bytes);
}

enum entry_kind entry_read(const char *id, uint64_t *number)
{
    size_t length = strlen(id);
    struct buffer decoded = {0};
    enum entry_kind kind = ENTRY_MALFORMED;
    if (length <= (ITEM_SIZE + 2) / 3 * 4 && base64_decode(&decoded, id, length)) {
        const uint8_t *bytes = (const uint8_t *)decoded.data;
        if (decoded.length == ITEM_SIZE) {
            kind = ENTRY_ITEM;
            *number = (uint64_t)read_number(bytes + ITEM_COUNTER_AT + 2) << 1 |
                      (bytes[CASE_AT] == LOWER_CASE);
        } else if (decoded.length == FOLDER_SIZE) {
            kind = ENTRY_FOLDER;
            *number = read_number(bytes + FOLDER_COUNTER_AT + 2);
        }
    }
    buffer_release(&decoded);
    return kind;
}
