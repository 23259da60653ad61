/* The MESSAGE_IDs under which the journal files what the daemon says. One for each kind of message
 * that a person may search for or act on; they never change. Made with `systemd-id128 new`. */
#ifndef EXSYNC_DAEMON_MESSAGES_H
#define EXSYNC_DAEMON_MESSAGES_H

#include "base/failure.h"

#define MESSAGE_STARTED           "6f2a7a1c0b7d4d5e9c51a4f8e2d90b13"
#define MESSAGE_STOPPED           "1d0c9b4a7e5f4f0a8b7c3e92d6a1f548"
#define MESSAGE_RELOADED          "b35e8c17f2a94c60a7d1049be83c5f2e"
#define MESSAGE_RELOAD_FAILED     "94d7a2e05c1b4f3e86b0d1c7a95e3f48"
#define MESSAGE_CYCLE             "2c8f61d7b94e4a0f93e5a07d1bc8426f"
#define MESSAGE_MAILBOX_FAILED    "e07b5d3a91c64f28b4a6d90f7c2e1835"
#define MESSAGE_MAILBOX_RESUMED   "5a9e3c70d1f84b62a5c7e810b4d6f293"
#define MESSAGE_PROFILE_FAILED    "c81d4f92a6e74035bd2a7f5e09c3b164"
#define MESSAGE_PROFILE_RESUMED   "3f6b0e8d52c94a17a8e4d7c1f0b52963"
#define MESSAGE_ITEM_FAILED       "7d29c5e1a8f04b36957a0e4bd8c1f362"
#define MESSAGE_STORAGE_FAILED    "a4e81b7d06f34c92bc5d3e9f1072a685"
#define MESSAGE_STORAGE_RESUMED   "08d5f3b7c2a14e69a17b4c8e90d6f25a"
#define MESSAGE_PROFILE_BUSY      "d16a9c3e4b7f42058e0d5a7cf3b29184"
#define MESSAGE_SUMMARY           "f95c2b08e7d143a6b81e4d7a06c3f952"
#define MESSAGE_SINK_RECOVERED    "4b7e0a9d3c5f4281960dbe7f52a8c134"
#define MESSAGE_NOT_ACKNOWLEDGED  "9ea3d71f5c0b42868d4f1b6ce0a75d39"
#define MESSAGE_DISK_STUCK        "6c1f8e0ba94d4735b2d85ae07f3c6196"
#define MESSAGE_DISK_ANSWERS      "e38b7d524fa1460c95c0d71b6f2e8a40"
#define MESSAGE_SUBMISSION_FAILED "b7c04e1d9a3f4f62835e6d0ac91b7f28"
#define MESSAGE_SUBMISSION_WAITS  "1e95d8b03c7a4c1f9d62a4f7e80b5c31"
#define MESSAGE_INTAKE_REFUSED    "52fb8e6ad14c4b7e90a3c6d1f7208e94"
#define MESSAGE_INTAKE_FAILED     "cd3a70915e8f4a26b1d94f0c68e2a753"
#define MESSAGE_SENDS_DIRECTLY    "8a16f3c2e0b94d5783c5e9d4b71a0f6e"
#define MESSAGE_SENDER_NOT_TOLD   "70e2b94c5df84e13a6c08d9b31f7a25e"
#define MESSAGE_SIGNED_IN         "f2e2fe2c6b8f415bb355f14e2e684351"
#define MESSAGE_FOLDER_CREATED    "33a6361de7e54fc6a704c8576abb9558"
#define MESSAGE_UNDELIVERABLE     "f0f4e28ca7fa43deb7a0320d33b7f6fc"
#define MESSAGE_NOT_SET_ASIDE     "60dbb060d16a43db95027b197c349fad"
#define MESSAGE_STRAY_DRAFT       "0a155d961e0040bc9efd679627b49a6b"
#define MESSAGE_ORPHANS           "82b76f76241d4874a7703a1a6ed28723"
#define MESSAGE_NOBODY_SENDS      "c569c106ee8b4912a97bad98fc49dc03"
#define MESSAGE_TRIED_NOW         "eb935bd11a4e4a78b2e2be4ee2ba2e4f"
#define MESSAGE_CONTROL_FAILED    "d9df10232a424065b64b02c68bca4760"
#define MESSAGE_SWITCHED          "d242db5ed8ac4e18b61d93ea0b7691b7"
#define MESSAGE_PAUSED            "5db4177d153d42128d939b58481c48d6"
#define MESSAGE_REDELIVERED       "d265de54f5804da99ba9ca8ad5f6757a"
#define MESSAGE_QUEUE_CHANGED     "763d1b5c0be144409919d64533a8292f"
#define MESSAGE_MESSAGE_REMOVED   "2e0e2f88a6ea4381803f3ae93c06fdc7"
#define MESSAGE_RESTORE_BEGUN     "4109c21cea524a31be65a01f75ecf1bd"
#define MESSAGE_RESTORE_CHECKED   "d46ff44f2bd94cd699060c412049cbe8"
#define MESSAGE_RESTORE_DONE      "5dece97701774fdb9d5fff64a6882700"
#define MESSAGE_OUTBOX_UNKNOWN    "1cf1b3f4bb824e55976d7029058374fb"
#define MESSAGE_DATABASE_LOST     "9d3f0e6a5c714b0fb6b2a1c84e7d2f95"

/* Alerts: one for each category of failure, and what becomes of them. Their entries in the catalog
 * (systemd/exsyncd.catalog) show the account, profile, alert, code, cause, details and remedy of
 * the category's message, and the profile and alert of the others': those fields must not be NULL.
 */
#define MESSAGE_ALERT_IMPERSONATION  "bc91ec8a6181400ebdb5fbb598ccabbb"
#define MESSAGE_ALERT_AUTHENTICATION "7d116fc1d37245e7880989abfe1bf2a7"
#define MESSAGE_ALERT_AUTHORIZATION  "08705ad98e964c65828907e1a42cb6bc"
#define MESSAGE_ALERT_THROTTLING     "f8d1241aab7440af9e046d5a03970982"
#define MESSAGE_ALERT_MAILBOX        "fd083c1f0c2d4c3097c68ce8884897c6"
#define MESSAGE_ALERT_ITEM           "bccfb91a4c8545ad8a9dbe7d12a5d92f"
#define MESSAGE_ALERT_NETWORK        "6eea14ebe1244005bfdcf1d27f115868"
#define MESSAGE_ALERT_TLS            "5fc1ebe33dcc4da3826da22236cb0b64"
#define MESSAGE_ALERT_PROTOCOL       "1eeefee84a7a4d4d8a21a6accce7ffba"
#define MESSAGE_ALERT_CONFIGURATION  "1f32a63ff4a4408d81bb0d61a62d9c7b"
#define MESSAGE_ALERT_SERVER         "bd87630e74e64e708f82ae595befd702"
#define MESSAGE_ALERT_STORAGE        "6fcefbd8977447ff9bcc14ae1eab0f19"
#define MESSAGE_ALERT_NOTIFIED       "cb1d07091a474bf1b9e92ed2adb7befe"
#define MESSAGE_ALERT_NOT_NOTIFIED   "55dd2da74a71409bb92ceb7f0589ef8d"
#define MESSAGE_ALERT_RESOLVED       "443f6659a5034856a1b2b0ea28d9e16b"
#define MESSAGE_ALERT_GROUPED        "8e0275e70702490cab078ecfa1651723"
#define MESSAGE_OWNER_TOLD           "985b8bad98c14f9d81a85831cddd3e55"
#define MESSAGE_OWNER_NOT_TOLD       "16c476aad3734ae295f64d3af58491a2"

/* The one under which an alert of this category is filed. */
const char *message_of_alert(enum failure_category category);

#endif
