DROP TABLE approvals;
ALTER TABLE api_tokens DROP COLUMN created_by;
ALTER TABLE products DROP COLUMN two_person_rule;
