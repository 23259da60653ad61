#include "folder_fields.h"

#include "soap.h"
#include "xml_text.h"

#include <string.h>

enum folder_field {
    FOLDER_ID,
    FOLDER_PARENT,
    FOLDER_CLASS,
    FOLDER_NAME,
    FOLDER_TOTAL,
    FOLDER_CHILDREN,
    FOLDER_RIGHTS,
    FOLDER_DISTINGUISHED,
    FOLDER_UNREAD,
    FOLDER_FIELDS
};

static const char *const uris[FOLDER_FIELDS] = {
    [FOLDER_ID] = "folder:FolderId",
    [FOLDER_PARENT] = "folder:ParentFolderId",
    [FOLDER_CLASS] = "folder:FolderClass",
    [FOLDER_NAME] = "folder:DisplayName",
    [FOLDER_TOTAL] = "folder:TotalCount",
    [FOLDER_CHILDREN] = "folder:ChildFolderCount",
    [FOLDER_RIGHTS] = "folder:EffectiveRights",
    [FOLDER_DISTINGUISHED] = "folder:DistinguishedFolderId",
    [FOLDER_UNREAD] = "folder:UnreadCount",
};

void folder_shape_read(struct folder_shape *shape, const xmlNode *element)
{
    const char *base = xml_child_text(element, "BaseShape");
    shape->fields = 1U << FOLDER_ID;
    if (base != NULL && strcmp(base, "Default") == 0)
        shape->fields |=
            1U << FOLDER_NAME | 1U << FOLDER_TOTAL | 1U << FOLDER_CHILDREN | 1U << FOLDER_UNREAD;
    else if (base != NULL && strcmp(base, "IdOnly") != 0)
        shape->fields = (1U << FOLDER_FIELDS) - 1;
    const xmlNode *additional = xml_child(element, "AdditionalProperties");
    for (xmlNode *path = additional == NULL ? NULL : xml_first(additional); path != NULL;
         path = xml_next(path)) {
        const char *uri = xml_attribute(path, "FieldURI");
        for (unsigned field = 0; uri != NULL && field < FOLDER_FIELDS; field++)
            if (strcmp(uris[field], uri) == 0)
                shape->fields |= 1U << field;
    }
}

static void append_id(const char *element, const struct folder *folder, struct buffer *text)
{
    buffer_append_format(text, "<t:%s Id=\"", element);
    folder_append_id(folder, text);
    buffer_append_string(text, "\" ChangeKey=\"");
    entry_append_change_key(text, mailbox_owner(folder->mailbox), folder->change);
    buffer_append_string(text, "\"/>");
}

static void append_field(const struct folder *folder, enum folder_field field, struct buffer *text)
{
    switch (field) {
    case FOLDER_ID:
        append_id("FolderId", folder, text);
        break;
    case FOLDER_PARENT:
        append_id("ParentFolderId", folder->parent == NULL ? folder : folder->parent, text);
        break;
    case FOLDER_CLASS:
        if (*folder->folder_class != '\0')
            xml_append_element(text, "FolderClass", folder->folder_class);
        break;
    case FOLDER_NAME:
        xml_append_element(text, "DisplayName", folder->name);
        break;
    case FOLDER_TOTAL:
        buffer_append_format(text, "<t:TotalCount>%zu</t:TotalCount>", folder->count);
        break;
    case FOLDER_CHILDREN:
        buffer_append_format(text, "<t:ChildFolderCount>%zu</t:ChildFolderCount>",
                             folder_child_count(folder));
        break;
    case FOLDER_RIGHTS:
        buffer_append_string(
            text,
            "<t:EffectiveRights><t:CreateAssociated>true</t:CreateAssociated>"
            "<t:CreateContents>true</t:CreateContents><t:CreateHierarchy>true</t:CreateHierarchy>"
            "<t:Delete>true</t:Delete><t:Modify>true</t:Modify><t:Read>true</t:Read>"
            "</t:EffectiveRights>");
        break;
    case FOLDER_DISTINGUISHED:
        if (folder->distinguished != NULL)
            xml_append_element(text, "DistinguishedFolderId", folder->distinguished);
        break;
    case FOLDER_UNREAD:
        buffer_append_format(text, "<t:UnreadCount>%zu</t:UnreadCount>", folder->unread);
        break;
    case FOLDER_FIELDS:
        break;
    }
}

void folder_append(const struct folder *folder, struct folder_shape shape, struct buffer *text)
{
    buffer_append_string(text, "<t:Folder>");
    for (unsigned field = 0; field < FOLDER_FIELDS; field++)
        if (shape.fields & 1U << field)
            append_field(folder, (enum folder_field)field, text);
    buffer_append_string(text, "</t:Folder>");
}
