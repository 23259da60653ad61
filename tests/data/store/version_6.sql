-- A database as version 6 of its schema left it: never changed, databases like it are opened.
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA application_id = 1163416409;
PRAGMA user_version = 6;
CREATE TABLE instance ( one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL, created_at INTEGER NOT NULL, turn INTEGER NOT NULL DEFAULT 0, copied_at INTEGER, restored_id TEXT NOT NULL DEFAULT '', enable_from INTEGER) STRICT;
CREATE TABLE mailbox ( number INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT NOT NULL UNIQUE, profile TEXT NOT NULL, renamed_from TEXT, lease INTEGER NOT NULL, enabled_at INTEGER NOT NULL, removed_at INTEGER, sink_path TEXT, check_from INTEGER, check_above INTEGER) STRICT;
CREATE TABLE folder ( mailbox INTEGER NOT NULL REFERENCES mailbox (number), name TEXT NOT NULL, watermark INTEGER NOT NULL, process_from INTEGER NOT NULL, total INTEGER NOT NULL, pass_started INTEGER NOT NULL, pass_offset INTEGER NOT NULL, pass_done INTEGER NOT NULL, PRIMARY KEY (mailbox, name)) STRICT, WITHOUT ROWID;
CREATE TABLE ledger ( row INTEGER PRIMARY KEY, mailbox INTEGER NOT NULL REFERENCES mailbox (number), item BLOB NOT NULL CHECK (length(item) = 16), fingerprint BLOB CHECK (length(fingerprint) = 16), state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 4), received_at INTEGER NOT NULL, last_seen INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next_retry INTEGER, name TEXT, reference TEXT, message INTEGER, file INTEGER, activity BLOB, taken_at INTEGER) STRICT;
CREATE TABLE failure ( id INTEGER PRIMARY KEY, scope TEXT NOT NULL, profile TEXT NOT NULL, mailbox INTEGER REFERENCES mailbox (number), direction TEXT NOT NULL, step TEXT NOT NULL, category TEXT NOT NULL, code TEXT NOT NULL, item BLOB NOT NULL, http_status INTEGER NOT NULL, text TEXT NOT NULL, sentence TEXT NOT NULL, remedy TEXT NOT NULL, activity TEXT NOT NULL, permanent INTEGER NOT NULL, count INTEGER NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, next_retry INTEGER, resolved_at INTEGER, submission TEXT NOT NULL DEFAULT '', trace TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE submission ( number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, mailbox INTEGER NOT NULL REFERENCES mailbox (number), state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 7), queued_at INTEGER NOT NULL, size INTEGER NOT NULL, submitter INTEGER NOT NULL, null_sender INTEGER NOT NULL, stray INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, next_try INTEGER NOT NULL DEFAULT 0, doubt_since INTEGER NOT NULL DEFAULT 0, finished_at INTEGER, message_id TEXT, subject TEXT NOT NULL, recipients TEXT NOT NULL, reference TEXT, held_at INTEGER, held_for INTEGER NOT NULL DEFAULT 0, removal TEXT) STRICT;
CREATE TABLE notification ( number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, profile TEXT NOT NULL, owner TEXT NOT NULL, kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 2), created_at INTEGER NOT NULL, handed_at INTEGER, pending INTEGER NOT NULL, message TEXT NOT NULL, json TEXT NOT NULL) STRICT;
CREATE TABLE notice ( notification INTEGER NOT NULL REFERENCES notification (number) ON DELETE CASCADE, channel INTEGER NOT NULL, profile TEXT NOT NULL, state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3), attempts INTEGER NOT NULL DEFAULT 0, next_try INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '', PRIMARY KEY (notification, channel)) STRICT, WITHOUT ROWID;
CREATE TABLE alert ( id INTEGER PRIMARY KEY AUTOINCREMENT, failure INTEGER NOT NULL REFERENCES failure (id) ON DELETE CASCADE, mailbox INTEGER NOT NULL, submission TEXT NOT NULL, profile TEXT NOT NULL, direction TEXT NOT NULL, category TEXT NOT NULL, code TEXT NOT NULL, scope TEXT NOT NULL, level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 3), absorbs INTEGER NOT NULL, subject TEXT, opening TEXT NOT NULL, told INTEGER NOT NULL CHECK (told BETWEEN 0 AND 3), told_reason TEXT NOT NULL, known INTEGER NOT NULL DEFAULT 0, untold_turn INTEGER, over_turn INTEGER, notification INTEGER REFERENCES notification (number), grouped_into INTEGER REFERENCES alert (id) ON DELETE SET NULL, opened_at INTEGER NOT NULL, last_seen INTEGER NOT NULL, resolved_at INTEGER, count INTEGER NOT NULL DEFAULT 1) STRICT;
CREATE TABLE sign_in ( profile TEXT PRIMARY KEY NOT NULL, mark INTEGER NOT NULL, refused INTEGER NOT NULL, last_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE switched_off ( mailbox INTEGER NOT NULL REFERENCES mailbox (number), direction INTEGER NOT NULL CHECK (direction BETWEEN 1 AND 2), since INTEGER NOT NULL, user INTEGER NOT NULL, PRIMARY KEY (mailbox, direction)) STRICT, WITHOUT ROWID;
CREATE TABLE paused ( profile TEXT PRIMARY KEY NOT NULL, since INTEGER NOT NULL, user INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX mailbox_removed ON mailbox (removed_at) WHERE removed_at IS NOT NULL;
CREATE UNIQUE INDEX ledger_item ON ledger (mailbox, item);
CREATE INDEX ledger_fingerprint ON ledger (mailbox, fingerprint) WHERE fingerprint IS NOT NULL;
CREATE INDEX ledger_last_seen ON ledger (mailbox, last_seen);
CREATE INDEX ledger_delivering ON ledger (mailbox) WHERE state = 1;
CREATE INDEX ledger_failed ON ledger (mailbox, next_retry) WHERE state = 3;
CREATE INDEX ledger_unacknowledged ON ledger (mailbox) WHERE state = 2 AND reference IS NOT NULL;
CREATE INDEX failure_resolved ON failure (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX submission_open ON submission (mailbox, number) WHERE state NOT IN (4, 5) OR stray;
CREATE INDEX submission_next ON submission (mailbox, next_try) WHERE state NOT IN (4, 5) OR stray;
CREATE INDEX submission_mailbox ON submission (mailbox);
CREATE INDEX submission_finished ON submission (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX failure_submission ON failure (submission) WHERE submission <> '' AND resolved_at IS NULL;
CREATE INDEX failure_submission_age ON failure (last_seen) WHERE submission <> '';
CREATE INDEX failure_same ON failure (mailbox, resolved_at, item, submission, profile, direction, step, code, category, scope);
CREATE INDEX failure_open ON failure (profile, mailbox, direction, category, code, submission) WHERE resolved_at IS NULL;
CREATE INDEX notification_owner ON notification (owner, created_at);
CREATE INDEX notification_created ON notification (created_at);
CREATE INDEX notification_pending ON notification (profile) WHERE pending;
CREATE INDEX notice_waiting ON notice (profile, channel, notification) WHERE state = 1;
CREATE UNIQUE INDEX alert_same ON alert (mailbox, submission, profile, direction, category, code, scope) WHERE resolved_at IS NULL;
CREATE INDEX alert_open ON alert (profile, category, scope) WHERE resolved_at IS NULL;
CREATE INDEX alert_absorbing ON alert (profile, category) WHERE absorbs AND resolved_at IS NULL;
CREATE INDEX alert_item ON alert (id) WHERE scope = 'item' AND resolved_at IS NULL;
CREATE INDEX alert_known ON alert (profile) WHERE resolved_at IS NULL AND (known OR notification IS NOT NULL);
CREATE INDEX alert_untold ON alert (profile, untold_turn) WHERE untold_turn IS NOT NULL;
CREATE INDEX alert_over ON alert (profile, over_turn) WHERE over_turn IS NOT NULL;
CREATE INDEX alert_resolved ON alert (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX alert_notification ON alert (notification) WHERE notification IS NOT NULL;
CREATE INDEX alert_grouped ON alert (grouped_into) WHERE grouped_into IS NOT NULL;
CREATE INDEX alert_failure ON alert (failure);
CREATE INDEX submission_removal ON submission (mailbox, number) WHERE removal IS NOT NULL;
CREATE INDEX ledger_message ON ledger (message) WHERE message IS NOT NULL;
BEGIN;
DELETE FROM sqlite_sequence;
INSERT INTO alert (id, failure, mailbox, submission, profile, direction, category, code, scope, level, absorbs, subject, opening, told, told_reason, known, untold_turn, over_turn, notification, grouped_into, opened_at, last_seen, resolved_at, count) VALUES (1, 1, 1, '', 'Contoso', 'incoming', 'impersonation', 'ErrorImpersonateUserDenied', 'mailbox', 3, 0, NULL, 'An impersonation error occurred in accessing the mailbox.', 2, '', 1, NULL, NULL, 1, NULL, 1700000000000, 1700000000005, NULL, 3);
INSERT INTO alert (id, failure, mailbox, submission, profile, direction, category, code, scope, level, absorbs, subject, opening, told, told_reason, known, untold_turn, over_turn, notification, grouped_into, opened_at, last_seen, resolved_at, count) VALUES (2, 4, 2, '00000000-0000-4000-8000-000000000002', 'Contoso', 'outgoing', 'item', 'ErrorMessageSizeExceeded', 'item', 2, 0, 'it''s', 'An impersonation error occurred in accessing the mailbox.', 3, 'The server cannot be reached.', 0, 5, NULL, NULL, 3, 1700000000000, 1700000000005, NULL, 1);
INSERT INTO alert (id, failure, mailbox, submission, profile, direction, category, code, scope, level, absorbs, subject, opening, told, told_reason, known, untold_turn, over_turn, notification, grouped_into, opened_at, last_seen, resolved_at, count) VALUES (3, 3, 0, '', 'Contoso', '', 'network', '', 'profile', 3, 1, NULL, 'An impersonation error occurred in accessing the mailbox.', 2, '', 1, NULL, 6, 2, NULL, 1700000000000, 1700000000005, 1700000000009, 1);
INSERT INTO failure (id, scope, profile, mailbox, direction, step, category, code, item, http_status, text, sentence, remedy, activity, permanent, count, first_seen, last_seen, next_retry, resolved_at, submission, trace) VALUES (1, 'mailbox', 'Contoso', 1, 'incoming', 'FindItem', 'impersonation', 'ErrorImpersonateUserDenied', X'', 200, 'The account does not have permission to impersonate the requested user.', 'An impersonation error occurred.', 'Grant the role.
Then wait.', '6f2a7a1c-0b7d-4d5e-9c51-a4f8e2d90b13', 1, 3, 1700000000000, 1700000000005, 1700000060000, NULL, '', '6f2a7a1c-0b7d-4d5e-9c51-a4f8e2d90b14');
INSERT INTO failure (id, scope, profile, mailbox, direction, step, category, code, item, http_status, text, sentence, remedy, activity, permanent, count, first_seen, last_seen, next_retry, resolved_at, submission, trace) VALUES (2, 'item', 'Contoso', 1, 'incoming', 'GetItem', 'item', 'ErrorCorruptData', X'02000000000000000000000000000000', 200, '', 'An impersonation error occurred.', 'Grant the role.
Then wait.', '6f2a7a1c-0b7d-4d5e-9c51-a4f8e2d90b13', 0, 2, 1700000000000, 1700000000005, 1700000060000, NULL, '', '');
INSERT INTO failure (id, scope, profile, mailbox, direction, step, category, code, item, http_status, text, sentence, remedy, activity, permanent, count, first_seen, last_seen, next_retry, resolved_at, submission, trace) VALUES (3, 'profile', 'Contoso', NULL, '', 'FindItem', 'network', 'ECONNREFUSED', X'', 0, 'The account does not have permission to impersonate the requested user.', 'An impersonation error occurred.', 'Grant the role.
Then wait.', '6f2a7a1c-0b7d-4d5e-9c51-a4f8e2d90b13', 0, 1, 1700000000000, 1700000000005, NULL, 1700000000009, '', '');
INSERT INTO failure (id, scope, profile, mailbox, direction, step, category, code, item, http_status, text, sentence, remedy, activity, permanent, count, first_seen, last_seen, next_retry, resolved_at, submission, trace) VALUES (4, 'item', 'Contoso', 2, 'outgoing', 'SendItem', 'item', 'ErrorMessageSizeExceeded', X'', 200, 'The account does not have permission to impersonate the requested user.', 'An impersonation error occurred.', 'Grant the role.
Then wait.', '6f2a7a1c-0b7d-4d5e-9c51-a4f8e2d90b13', 1, 1, 1700000000000, 1700000000005, NULL, NULL, '00000000-0000-4000-8000-000000000002', '');
INSERT INTO folder (mailbox, name, watermark, process_from, total, pass_started, pass_offset, pass_done) VALUES (1, 'Inbox', 1700000000000, 1600000000000, 3, 1699913600000, 50, 1699920000000);
INSERT INTO folder (mailbox, name, watermark, process_from, total, pass_started, pass_offset, pass_done) VALUES (1, 'Inbox/Orders & more', 1699999999995, 1600000000000, 0, 0, 0, 0);
INSERT INTO folder (mailbox, name, watermark, process_from, total, pass_started, pass_offset, pass_done) VALUES (2, 'Inbox', 1700000003000, 1600000000000, 2, 0, 0, 1700000000000);
INSERT INTO instance (one, id, created_at, turn, copied_at, restored_id, enable_from) VALUES (1, '00112233445566778899aabbccddeeff', 1699999999999, 7, 1700000000000, '018bcfe5-6800-7fff-8000-000000000001', 1699990000000);
INSERT INTO ledger (row, mailbox, item, fingerprint, state, received_at, last_seen, attempts, next_retry, name, reference, message, file, activity, taken_at) VALUES (1, 1, X'01000000000000000000000000000000', X'11000000000000000000000000000000', 2, 1700000000000, 1700000060000, 0, NULL, NULL, NULL, 81985529216486895, -81985529216486895, X'00112233445566778899AABBCCDDEEFF', 1700000050000);
INSERT INTO ledger (row, mailbox, item, fingerprint, state, received_at, last_seen, attempts, next_retry, name, reference, message, file, activity, taken_at) VALUES (2, 1, X'02000000000000000000000000000000', NULL, 3, 1700000001000, 1700000060000, 2, 1700000120000, NULL, 'AAMkADQ2=', NULL, NULL, NULL, NULL);
INSERT INTO ledger (row, mailbox, item, fingerprint, state, received_at, last_seen, attempts, next_retry, name, reference, message, file, activity, taken_at) VALUES (3, 1, X'03000000000000000000000000000000', X'13000000000000000000000000000000', 1, 1700000002000, 1700000060000, 0, NULL, '1700000002.001122334455b1r0123456789abcdef.host,S=4711', 'AAMkADQ3=', 7, 8, X'FFEEDDCCBBAA99887766554433221100', 1700000051000);
INSERT INTO ledger (row, mailbox, item, fingerprint, state, received_at, last_seen, attempts, next_retry, name, reference, message, file, activity, taken_at) VALUES (4, 2, X'01000000000000000000000000000000', X'11000000000000000000000000000000', 2, 1700000003000, 1700000061000, 1, NULL, NULL, 'AAMkADQ4=', NULL, NULL, NULL, NULL);
INSERT INTO ledger (row, mailbox, item, fingerprint, state, received_at, last_seen, attempts, next_retry, name, reference, message, file, activity, taken_at) VALUES (5, 2, X'05000000000000000000000000000000', X'15000000000000000000000000000000', 3, 1700000004000, 1700000061000, 5, 0, NULL, 'AAMkADQ5=', NULL, NULL, NULL, NULL);
INSERT INTO ledger (row, mailbox, item, fingerprint, state, received_at, last_seen, attempts, next_retry, name, reference, message, file, activity, taken_at) VALUES (7, 4, X'06000000000000000000000000000000', NULL, 4, 1700000005000, 1700000061000, 0, NULL, '1700000005.001122334455b4r0123456789abcdef.host,S=12', 'AAMkADQ6=', NULL, NULL, NULL, NULL);
INSERT INTO mailbox (number, address, profile, renamed_from, lease, enabled_at, removed_at, sink_path, check_from, check_above) VALUES (1, 'sales@contoso.com', 'Contoso', 'vertrieb@contoso.com', 1, 1700000000000, NULL, '/var/lib/exsyncd/mail/contoso.com/sales', 1699990000000, 2);
INSERT INTO mailbox (number, address, profile, renamed_from, lease, enabled_at, removed_at, sink_path, check_from, check_above) VALUES (2, 'support@contoso.com', 'Contoso', NULL, 1, 1700000000001, NULL, '/var/lib/exsyncd/mail/contoso.com/support', NULL, NULL);
INSERT INTO mailbox (number, address, profile, renamed_from, lease, enabled_at, removed_at, sink_path, check_from, check_above) VALUES (3, 'gone@contoso.com', 'Contoso', NULL, 1, 1700000000002, 1700000090000, NULL, NULL, NULL);
INSERT INTO mailbox (number, address, profile, renamed_from, lease, enabled_at, removed_at, sink_path, check_from, check_above) VALUES (4, 'müller@contoso.com', 'Branch ''North''', NULL, 1, 1700000000003, NULL, NULL, NULL, NULL);
INSERT INTO notice (notification, channel, profile, state, attempts, next_try, reason) VALUES (1, 0, 'Contoso', 2, 1, 0, '');
INSERT INTO notice (notification, channel, profile, state, attempts, next_try, reason) VALUES (2, 1, 'Contoso', 1, 3, 1700000099000, 'The server cannot be reached.');
INSERT INTO notification (number, id, profile, owner, kind, created_at, handed_at, pending, message, json) VALUES (1, '00000000-0000-4000-8000-00000000000a', 'Contoso', 'postmaster@contoso.com', 1, 1700000000010, 1700000000020, 0, 'Subject: alert

body
', '{"kind":"opened"}');
INSERT INTO notification (number, id, profile, owner, kind, created_at, handed_at, pending, message, json) VALUES (2, '00000000-0000-4000-8000-00000000000b', 'Contoso', 'postmaster@contoso.com', 2, 1700000000030, NULL, 1, 'Subject: over

', '{}');
INSERT INTO paused (profile, since, user) VALUES ('Branch ''North''', 1700000005000, 1000);
INSERT INTO sign_in (profile, mark, refused, last_at) VALUES ('Contoso', 7, 1, 1700000000008);
INSERT INTO sqlite_sequence (name, seq) VALUES ('alert', 12);
INSERT INTO sqlite_sequence (name, seq) VALUES ('mailbox', 9);
INSERT INTO sqlite_sequence (name, seq) VALUES ('notification', 2);
INSERT INTO sqlite_sequence (name, seq) VALUES ('submission', 6);
INSERT INTO submission (number, id, mailbox, state, queued_at, size, submitter, null_sender, stray, attempts, next_try, doubt_since, finished_at, message_id, subject, recipients, reference, held_at, held_for, removal) VALUES (1, '00000000-0000-4000-8000-000000000001', 2, 1, 1700000000000, 512, 33, 0, 0, 0, 0, 0, NULL, '<order-4711@www.contoso.com>', 'Ihre Bestellung № 4711', 'to c@example.com
bcc d@example.com
', NULL, 1700000070000, 1500, NULL);
INSERT INTO submission (number, id, mailbox, state, queued_at, size, submitter, null_sender, stray, attempts, next_try, doubt_since, finished_at, message_id, subject, recipients, reference, held_at, held_for, removal) VALUES (2, '00000000-0000-4000-8000-000000000002', 2, 3, 1700000000001, 5, 0, 1, 0, 2, 1700000060000, 1700000050000, NULL, NULL, 'it''s', 'to c@example.com
', 'AAMkADQ9=', NULL, 0, NULL);
INSERT INTO submission (number, id, mailbox, state, queued_at, size, submitter, null_sender, stray, attempts, next_try, doubt_since, finished_at, message_id, subject, recipients, reference, held_at, held_for, removal) VALUES (4, '00000000-0000-4000-8000-000000000004', 1, 4, 1700000000002, 70000, 1000, 0, 1, 1, 0, 0, 1700000003000, '<x@y>', '', 'to e@example.com
', 'AAMkADQ8=', NULL, 0, NULL);
INSERT INTO submission (number, id, mailbox, state, queued_at, size, submitter, null_sender, stray, attempts, next_try, doubt_since, finished_at, message_id, subject, recipients, reference, held_at, held_for, removal) VALUES (5, '00000000-0000-4000-8000-000000000005', 1, 5, 1700000000003, 9, 1000, 0, 0, 8, 0, 0, 1700000004000, NULL, 'refused', 'to f@example.com
', NULL, NULL, 0, 'Removed by an administrator.');
INSERT INTO switched_off (mailbox, direction, since, user) VALUES (4, 1, 1700000001000, 1000);
INSERT INTO switched_off (mailbox, direction, since, user) VALUES (4, 2, 1700000002000, 0);
COMMIT;
