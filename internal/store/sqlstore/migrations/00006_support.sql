-- +goose Up
-- The oldest binary that can serve this schema, by the number of its newest
-- migration. A migration that the release before cannot live with raises it.
CREATE TABLE schema_support (
    oldest BIGINT NOT NULL
);
INSERT INTO schema_support (oldest) VALUES (4);

-- Account ids, which can be IBANs, of users and of collections that belong to no
-- user, whose data is erased. Binaries before this one left them. The scopes are
-- written as package sqlstore writes them (erasescopes.go).
UPDATE consents SET
    requested = CASE WHEN NOT (requested LIKE '{"accountIds":["%') THEN requested
        WHEN requested LIKE '%],"balances":true,"transactions":true}' THEN '{"accountIds":null,"balances":true,"transactions":true}'
        WHEN requested LIKE '%],"balances":true,"transactions":false}' THEN '{"accountIds":null,"balances":true,"transactions":false}'
        WHEN requested LIKE '%],"balances":false,"transactions":true}' THEN '{"accountIds":null,"balances":false,"transactions":true}'
        ELSE '{"accountIds":null,"balances":false,"transactions":false}' END,
    granted = CASE WHEN NOT (granted LIKE '{"accountIds":["%') THEN granted
        WHEN granted LIKE '%],"balances":true,"transactions":true}' THEN '{"accountIds":null,"balances":true,"transactions":true}'
        WHEN granted LIKE '%],"balances":true,"transactions":false}' THEN '{"accountIds":null,"balances":true,"transactions":false}'
        WHEN granted LIKE '%],"balances":false,"transactions":true}' THEN '{"accountIds":null,"balances":false,"transactions":true}'
        ELSE '{"accountIds":null,"balances":false,"transactions":false}' END,
    rev = rev + 1
WHERE status NOT IN ('INITIATED', 'AWAITING_AUTHORIZATION', 'AUTHORIZED')
    AND (requested LIKE '{"accountIds":["%' OR granted LIKE '{"accountIds":["%')
    AND (user_id IN (SELECT id FROM users WHERE anonymized_at > 0)
        OR collection_id IN (SELECT id FROM collections WHERE user_id IS NULL AND wake_at = 0 AND (erased_at > 0 OR keep_until = 0)));

UPDATE collections SET accounts = '', rev = rev + 1
WHERE accounts <> '' AND wake_at = 0
    AND (user_id IN (SELECT id FROM users WHERE anonymized_at > 0)
        OR user_id IS NULL AND (erased_at > 0 OR keep_until = 0));
