-- firebreak: its data source and event types
-- plugin_id: 9532

DELETE FROM plugin WHERE id = 9532;
DELETE FROM plugin_sid WHERE plugin_id = 9532;

INSERT IGNORE INTO plugin (id, type, name, description) VALUES (9532, 1, 'firebreak', 'Firebreak: outcome of an alarm');

INSERT IGNORE INTO plugin_sid (plugin_id, sid, category_id, class_id, name, priority, reliability) VALUES (9532, 1, NULL, NULL, 'Firebreak: block in force and proven', 1, 5);
INSERT IGNORE INTO plugin_sid (plugin_id, sid, category_id, class_id, name, priority, reliability) VALUES (9532, 2, NULL, NULL, 'Firebreak: block NOT as requested', 3, 5);
INSERT IGNORE INTO plugin_sid (plugin_id, sid, category_id, class_id, name, priority, reliability) VALUES (9532, 3, NULL, NULL, 'Firebreak: block held for approval', 2, 5);
INSERT IGNORE INTO plugin_sid (plugin_id, sid, category_id, class_id, name, priority, reliability) VALUES (9532, 4, NULL, NULL, 'Firebreak: alarm refused by policy', 2, 5);
INSERT IGNORE INTO plugin_sid (plugin_id, sid, category_id, class_id, name, priority, reliability) VALUES (9532, 5, NULL, NULL, 'Firebreak: block released', 1, 5);
INSERT IGNORE INTO plugin_sid (plugin_id, sid, category_id, class_id, name, priority, reliability) VALUES (9532, 6, NULL, NULL, 'Firebreak: rule stands, packets NOT stopped', 3, 5);
INSERT IGNORE INTO plugin_sid (plugin_id, sid, category_id, class_id, name, priority, reliability) VALUES (9532, 7, NULL, NULL, 'Firebreak: observe mode, NOT blocked', 1, 5);
