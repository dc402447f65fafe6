-- When the code of a grant was swapped for tokens, in the transaction that makes them: once.
ALTER TABLE auth.grants ADD COLUMN redeemed_at timestamptz;
