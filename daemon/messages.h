/* The MESSAGE_IDs under which the journal files what the daemon says. One for each kind of message
 * that a person may search for or act on; they never change. Made with `systemd-id128 new`. */
#ifndef EXSYNC_DAEMON_MESSAGES_H
#define EXSYNC_DAEMON_MESSAGES_H

#define MESSAGE_STARTED          "6f2a7a1c0b7d4d5e9c51a4f8e2d90b13"
#define MESSAGE_STOPPED          "1d0c9b4a7e5f4f0a8b7c3e92d6a1f548"
#define MESSAGE_RELOADED         "b35e8c17f2a94c60a7d1049be83c5f2e"
#define MESSAGE_RELOAD_FAILED    "94d7a2e05c1b4f3e86b0d1c7a95e3f48"
#define MESSAGE_CYCLE            "2c8f61d7b94e4a0f93e5a07d1bc8426f"
#define MESSAGE_MAILBOX_FAILED   "e07b5d3a91c64f28b4a6d90f7c2e1835"
#define MESSAGE_MAILBOX_RESUMED  "5a9e3c70d1f84b62a5c7e810b4d6f293"
#define MESSAGE_PROFILE_FAILED   "c81d4f92a6e74035bd2a7f5e09c3b164"
#define MESSAGE_PROFILE_RESUMED  "3f6b0e8d52c94a17a8e4d7c1f0b52963"
#define MESSAGE_SIGNED_IN        "f2e2fe2c6b8f415bb355f14e2e684351"
#define MESSAGE_ITEM_FAILED      "7d29c5e1a8f04b36957a0e4bd8c1f362"
#define MESSAGE_STORAGE_FAILED   "a4e81b7d06f34c92bc5d3e9f1072a685"
#define MESSAGE_STORAGE_RESUMED  "08d5f3b7c2a14e69a17b4c8e90d6f25a"
#define MESSAGE_PROFILE_BUSY     "d16a9c3e4b7f42058e0d5a7cf3b29184"
#define MESSAGE_SUMMARY          "f95c2b08e7d143a6b81e4d7a06c3f952"
#define MESSAGE_SINK_RECOVERED   "4b7e0a9d3c5f4281960dbe7f52a8c134"
#define MESSAGE_NOT_ACKNOWLEDGED "9ea3d71f5c0b42868d4f1b6ce0a75d39"
#define MESSAGE_FOLDER_CREATED   "33a6361de7e54fc6a704c8576abb9558"
#define MESSAGE_DISK_STUCK       "6c1f8e0ba94d4735b2d85ae07f3c6196"
#define MESSAGE_DISK_ANSWERS     "e38b7d524fa1460c95c0d71b6f2e8a40"

#endif
