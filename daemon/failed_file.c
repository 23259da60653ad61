#include "daemon/failed_file.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "daemon/mail_search.h"

static char *path_of(const char *outbox, const char *id, const char *ending)
{
    struct buffer path = {0};
    buffer_append_format(&path, "%s/failed/%s.%s", outbox, id, ending);
    return buffer_take(&path);
}

void failed_file_look(struct failed_file *file, const char *outbox)
{
    char *message = path_of(outbox, file->id, "eml"), *reason = path_of(outbox, file->id, "reason");
    struct mail_search_file found;
    file->there = mail_search_file(message, &found);
    file->reason = mail_search_first_line(reason);
    if (file->there) {
        file->message_id = found.message_id;
        file->subject = found.subject;
        file->size = found.size;
        file->owner = found.owner;
    }
    memory_free(message);
    memory_free(reason);
}

void failed_file_release(struct failed_file *file)
{
    memory_free(file->reason);
    memory_free(file->message_id);
    memory_free(file->subject);
}
