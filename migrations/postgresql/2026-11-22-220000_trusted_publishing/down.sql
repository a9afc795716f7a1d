DROP TABLE exchanged_identities;
DROP INDEX api_tokens_publisher;
-- They would be good for all that is left of their time, and nobody could tell whose they are.
DELETE FROM api_tokens WHERE publisher_id IS NOT NULL;
ALTER TABLE api_tokens DROP COLUMN publisher_id;
DROP TABLE trusted_publishers;
