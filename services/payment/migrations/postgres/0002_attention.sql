-- Since when the provider refuses to give back what a cancelled order holds. Null in nearly all rows.
ALTER TABLE payment ADD COLUMN attention_since BIGINT;
CREATE INDEX payment_by_attention ON payment (created_at, id) WHERE attention_since IS NOT NULL;
-- Before, a refused void or refund of a cancelled order was given up. Due at once, it is taken up.
UPDATE payment SET next_check_at = 1
WHERE state #>> '{cancelled}' IS NOT NULL
    AND (state #>> '{stage,authorized,void,progress,failed}' IS NOT NULL
        OR EXISTS (SELECT 1
            FROM jsonb_path_query(state, '$.stage.authorized.refunds[*]') AS refund
            WHERE refund #>> '{progress,failed}' IS NOT NULL));
