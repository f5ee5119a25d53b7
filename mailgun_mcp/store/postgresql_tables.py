"""The tables that PostgreSQL starts with: those of SQLite after step 7 of `migrations.py`, and those for replicas only.

Types are written as in `migrations.py`. A table whose rows SQLite numbers by itself has a column `rowid` here.
"""

from mailgun_mcp.store.migrations import CHANNEL

VERSION = 7
"""The step of `migrations.py` that these tables correspond to."""
NUMBERED = "rowid BIGINT GENERATED ALWAYS AS IDENTITY"

ACCOUNTS = (
    f"CREATE TABLE accounts (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, named INTEGER NOT NULL, created REAL NOT NULL, {NUMBERED})",
    """CREATE TABLE account_keys (
        endpoint TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        account TEXT,
        wanted TEXT,
        first_used REAL NOT NULL,
        PRIMARY KEY (endpoint, fingerprint)
    )""",
    "CREATE TABLE account_aliases (alias TEXT PRIMARY KEY, account TEXT NOT NULL)",
    """CREATE VIEW account_names AS SELECT id, name FROM accounts UNION ALL
    SELECT alias, name FROM account_aliases JOIN accounts ON accounts.id = account_aliases.account""",
    """CREATE TABLE approvers (
        name TEXT PRIMARY KEY, created REAL NOT NULL, salt TEXT NOT NULL, digest TEXT NOT NULL
    )""",
    """CREATE TABLE tokens (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        shown TEXT NOT NULL,
        digest TEXT NOT NULL,
        scopes TEXT NOT NULL,
        accounts TEXT,
        domains TEXT,
        created REAL NOT NULL,
        created_by TEXT NOT NULL,
        expires REAL,
        last_used REAL,
        revoked REAL
    )""",
)
APPROVALS = (
    """CREATE TABLE approvals (
        id TEXT PRIMARY KEY,
        created REAL NOT NULL,
        expires REAL NOT NULL,
        status TEXT NOT NULL,
        tool TEXT NOT NULL,
        title TEXT NOT NULL,
        text TEXT NOT NULL,
        level TEXT NOT NULL,
        typed TEXT,
        account TEXT NOT NULL,
        principal TEXT NOT NULL,
        client TEXT NOT NULL,
        binding TEXT NOT NULL,
        preview TEXT NOT NULL,
        answers TEXT NOT NULL DEFAULT '[]',
        details TEXT NOT NULL DEFAULT '{}',
        notified REAL
    )""",
    "CREATE INDEX approvals_by_binding ON approvals (binding, status)",
    """CREATE TABLE grants (
        id TEXT PRIMARY KEY, created REAL NOT NULL, until REAL NOT NULL, match TEXT NOT NULL, by TEXT NOT NULL,
        account TEXT NOT NULL DEFAULT ''
    )""",
)
COUNTERS = (
    "CREATE TABLE nonces (nonce TEXT PRIMARY KEY, expires REAL NOT NULL)",
    "CREATE INDEX nonces_by_age ON nonces (expires)",
    f"""CREATE TABLE sends (
        account TEXT NOT NULL, principal TEXT NOT NULL, digest TEXT NOT NULL, recipients INTEGER NOT NULL, at REAL NOT NULL,
        {NUMBERED} PRIMARY KEY
    )""",
    "CREATE INDEX sends_by_account ON sends (account, at)",
    "CREATE INDEX sends_by_digest ON sends (account, digest, at)",
    "CREATE INDEX sends_by_age ON sends (at)",
    f"CREATE TABLE spend (account TEXT NOT NULL, amount REAL NOT NULL, at REAL NOT NULL, {NUMBERED} PRIMARY KEY)",
    """CREATE TABLE untrusted (
        account TEXT NOT NULL, principal TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (account, principal)
    )""",
)
SNAPSHOTS = (
    """CREATE TABLE snapshots (
        id TEXT PRIMARY KEY,
        created REAL NOT NULL,
        until REAL NOT NULL,
        status TEXT NOT NULL,
        tool TEXT NOT NULL,
        summary TEXT NOT NULL,
        account TEXT NOT NULL,
        endpoint TEXT NOT NULL,
        subaccount TEXT,
        records INTEGER NOT NULL DEFAULT 0,
        outcome TEXT NOT NULL DEFAULT 'unknown',
        undone REAL
    )""",
    "CREATE INDEX snapshots_by_account ON snapshots (account, created)",
    """CREATE TABLE snapshot_parts (
        snapshot TEXT NOT NULL, phase TEXT NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (snapshot, phase, number)
    )""",
    """CREATE TABLE undo_steps (
        snapshot TEXT NOT NULL, thing TEXT NOT NULL, known TEXT NOT NULL, made TEXT, PRIMARY KEY (snapshot, thing)
    )""",
)
AUDIT_LOG = (
    """CREATE TABLE audit_log (
        seq BIGINT PRIMARY KEY,
        at REAL NOT NULL,
        call TEXT NOT NULL,
        kind TEXT NOT NULL,
        body TEXT NOT NULL,
        prev TEXT NOT NULL,
        hash TEXT NOT NULL
    )""",
    "CREATE INDEX audit_log_by_call ON audit_log (call, seq)",
    "CREATE TABLE audit_anchor (seq INTEGER NOT NULL, hash TEXT NOT NULL)",
    "INSERT INTO audit_anchor (seq, hash) VALUES (0, repeat('0', 64))",
    # What SQLite stores in `sqlite_sequence`.
    "CREATE TABLE audit_newest (seq INTEGER NOT NULL)",
    "INSERT INTO audit_newest (seq) VALUES (0)",
    """CREATE FUNCTION note_newest_entry() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN UPDATE audit_newest SET seq = new.seq WHERE seq < new.seq; RETURN NULL; END $$""",
    """CREATE TRIGGER audit_log_is_numbered AFTER INSERT ON audit_log
    FOR EACH ROW EXECUTE FUNCTION note_newest_entry()""",
    """CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$""",
    "CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER audit_log_is_not_emptied BEFORE TRUNCATE ON audit_log EXECUTE FUNCTION refuse_change()",
    # Entries are pruned only up to the anchor, which is moved first.
    """CREATE FUNCTION refuse_shortening() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF old.seq > (SELECT seq FROM audit_anchor) THEN RAISE EXCEPTION 'the audit log is append-only'; END IF;
        RETURN old;
    END $$""",
    """CREATE TRIGGER audit_log_is_not_shortened BEFORE DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_shortening()""",
)
REPLICAS = (
    # On SQLite, these secrets are files. The values are encrypted with keys kept elsewhere: see `sealing.py`.
    """CREATE TABLE shared_secrets (
        kind TEXT NOT NULL, name TEXT NOT NULL, created REAL NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (kind, name)
    )""",
    """CREATE TABLE withheld_secrets (
        ref TEXT PRIMARY KEY,
        created REAL NOT NULL,
        tool TEXT NOT NULL,
        place TEXT NOT NULL,
        account TEXT NOT NULL,
        sealed BLOB NOT NULL
    )""",
    f"""CREATE FUNCTION announce_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_notify('{CHANNEL}', TG_TABLE_NAME); RETURN NULL; END $$""",
    """CREATE TRIGGER approvals_announced AFTER INSERT OR UPDATE OR DELETE ON approvals
    FOR EACH ROW EXECUTE FUNCTION announce_change()""",
)
TABLES: tuple[str, ...] = (*ACCOUNTS, *APPROVALS, *COUNTERS, *SNAPSHOTS, *AUDIT_LOG, *REPLICAS)
