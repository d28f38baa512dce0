/** Tokens. Only the SHA-256 of a token's secret is here, so that whoever reads the database cannot use one. */
export const migration0002 = `
CREATE TABLE tokens (
  id           INTEGER PRIMARY KEY,
  name         TEXT    NOT NULL,
  role         TEXT    NOT NULL,
  owner        TEXT    NOT NULL,
  tenant       TEXT    NOT NULL,
  hash         TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  revoked_at   INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL
) STRICT;
`;
