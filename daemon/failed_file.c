#include "daemon/failed_file.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/shell_word.h"
#include "daemon/mail_search.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static char *path_of(const char *outbox, const char *id, const char *ending)
{
    struct buffer path = {0};
    buffer_append_format(&path, "%s/failed/%s.%s", outbox, id, ending);
    return buffer_take(&path);
}

char *failed_file_path(const char *outbox, const char *id)
{
    return path_of(outbox, id, "eml");
}

bool failed_file_is_copy(const char *reason)
{
    return reason != NULL && strcmp(reason, FAILED_FILE_COPY_REASON) == 0;
}

void failed_file_explain(struct buffer *text, const char *path, const char *id, bool copy)
{
    if (copy)
        buffer_append_string(text,
                             "It is left to a person: look for it in Sent Items; if it is not "
                             "there and still to be sent, submit it again, with those who were its "
                             "Bcc recipients (exsync-submit -t -i BCC-RECIPIENT ... < ");
    else
        buffer_append_string(text, "It is left to a person: if it is still to be sent, mend it and "
                                   "submit it again (exsync-submit -t -i < ");
    shell_word_append(text, path);
    buffer_append_format(text, "), then throw that file away (exsyncctl queue discard %s).", id);
}

void failed_file_look(struct failed_file *file, const char *outbox)
{
    char *message = path_of(outbox, file->id, "eml"), *reason = path_of(outbox, file->id, "reason");
    struct mail_search_file found;
    struct stat status;
    file->known = lstat(message, &status) == 0;
    file->there = file->known || errno != ENOENT;
    file->reason = mail_search_first_line(reason);
    file->copy = failed_file_is_copy(file->reason);
    if (file->known) {
        file->size = (uint64_t)status.st_size;
        file->owner = status.st_uid;
    }
    if (mail_search_file(message, &found)) {
        file->message_id = found.message_id;
        file->subject = found.subject;
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
