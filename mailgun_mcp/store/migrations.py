"""The tables, step by step. A released step is never changed; a new one is added after it.

Each step is written once for SQLite and PostgreSQL, in SQL that both accept. `tests/store/test_postgresql_tables.py`
runs every step on both.

- Types are TEXT, REAL, INTEGER and BLOB. On PostgreSQL the last three become DOUBLE PRECISION, BIGINT and BYTEA.
- `id INTEGER PRIMARY KEY` numbers the rows on both. Otherwise there is no `rowid`. Yes and no are INTEGER 1 and 0.
- Name all columns in an INSERT, and write `ON CONFLICT ... DO` instead of `INSERT OR`.
- If the engines need different statements, use `Each(sqlite=..., postgresql=...)`. An empty one is left out.
- `announced("TABLE")` wakes those who wait for changes (`store/changes.py`) when rows of the table change.

PostgreSQL starts with the tables that step 7 leads to (`postgresql_tables.py`), and runs the later steps.
"""

from dataclasses import dataclass

CHANNEL = "mailgun_mcp"
"""Channel of PostgreSQL's notifications. The payload is the name of the table that changed."""


@dataclass(frozen=True, slots=True)
class Each:
    """A statement that differs between the engines."""

    sqlite: str = ""
    postgresql: str = ""


def announced(table: str, change: str = "INSERT OR UPDATE OR DELETE") -> Each:
    """Return the statement that makes changes of the table, or one kind of `change`, wake those who wait for them.

    SQLite needs none: there, waiting processes check every half second whether the file has changed.
    """
    return Each(
        postgresql=f"""CREATE TRIGGER {table}_announced AFTER {change} ON {table}
        FOR EACH ROW EXECUTE FUNCTION announce_change()"""
    )


MIGRATIONS: tuple[tuple[str | Each, ...], ...] = (
    (
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
            caller TEXT NOT NULL,
            client TEXT NOT NULL,
            binding TEXT NOT NULL,
            preview TEXT NOT NULL,
            answers TEXT NOT NULL DEFAULT '[]'
        )""",
        "CREATE INDEX approvals_by_binding ON approvals (binding, status)",
        """CREATE TABLE elevations (
            id TEXT PRIMARY KEY, created REAL NOT NULL, until REAL NOT NULL, match TEXT NOT NULL, by TEXT NOT NULL
        )""",
        "CREATE TABLE nonces (nonce TEXT PRIMARY KEY, expires REAL NOT NULL)",
        "CREATE INDEX nonces_by_age ON nonces (expires)",
        """CREATE TABLE sends (
            account TEXT NOT NULL, caller TEXT NOT NULL, digest TEXT NOT NULL, recipients INTEGER NOT NULL, at REAL NOT NULL
        )""",
        "CREATE INDEX sends_by_account ON sends (account, at)",
        "CREATE INDEX sends_by_digest ON sends (account, digest, at)",
        "CREATE INDEX sends_by_age ON sends (at)",
        "CREATE TABLE spend (account TEXT NOT NULL, amount REAL NOT NULL, at REAL NOT NULL)",
        "CREATE TABLE untrusted (caller TEXT PRIMARY KEY, at REAL NOT NULL)",
    ),
    (
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
        """CREATE TABLE journal (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            at REAL NOT NULL,
            call TEXT NOT NULL,
            kind TEXT NOT NULL,
            body TEXT NOT NULL,
            prev TEXT NOT NULL,
            hash TEXT NOT NULL
        )""",
        "CREATE INDEX journal_by_call ON journal (call, seq)",
        "CREATE TABLE journal_anchor (seq INTEGER NOT NULL, hash TEXT NOT NULL)",
        "INSERT INTO journal_anchor VALUES (0, printf('%064d', 0))",
        """CREATE TRIGGER journal_is_not_changed BEFORE UPDATE ON journal
        BEGIN SELECT raise(ABORT, 'the journal is append-only'); END""",
        # Entries are pruned only up to the anchor, which is moved first.
        """CREATE TRIGGER journal_is_not_shortened BEFORE DELETE ON journal
        WHEN old.seq > (SELECT seq FROM journal_anchor)
        BEGIN SELECT raise(ABORT, 'the journal is append-only'); END""",
    ),
    (
        "ALTER TABLE elevations RENAME TO grants",
        "ALTER TABLE approvals RENAME COLUMN caller TO principal",
        "ALTER TABLE sends RENAME COLUMN caller TO principal",
        "ALTER TABLE untrusted RENAME COLUMN caller TO principal",
        "DROP TRIGGER journal_is_not_changed",
        "DROP TRIGGER journal_is_not_shortened",
        "DROP INDEX journal_by_call",
        # SQLite renames the table in `sqlite_sequence` too, so that numbering continues.
        "ALTER TABLE journal RENAME TO audit_log",
        "ALTER TABLE journal_anchor RENAME TO audit_anchor",
        "CREATE INDEX audit_log_by_call ON audit_log (call, seq)",
        """CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log
        BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END""",
        # Entries are pruned only up to the anchor, which is moved first.
        """CREATE TRIGGER audit_log_is_not_shortened BEFORE DELETE ON audit_log
        WHEN old.seq > (SELECT seq FROM audit_anchor)
        BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END""",
    ),
    ("ALTER TABLE approvals ADD COLUMN details TEXT NOT NULL DEFAULT '{}'",),
    (
        "CREATE TABLE accounts (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, named INTEGER NOT NULL, created REAL NOT NULL)",
        # A key without an account waits until it is accepted for the account with the wanted name.
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
        # Rows without an account go to the account that next opens the state: see identity/adoption.py.
        "ALTER TABLE grants ADD COLUMN account TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE untrusted RENAME TO untrusted_by_principal",
        """CREATE TABLE untrusted (
            account TEXT NOT NULL, principal TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (account, principal)
        )""",
        "INSERT INTO untrusted SELECT '', principal, at FROM untrusted_by_principal",
        "DROP TABLE untrusted_by_principal",
        """CREATE TABLE approvers (
            name TEXT PRIMARY KEY, created REAL NOT NULL, salt TEXT NOT NULL, digest TEXT NOT NULL
        )""",
    ),
    ("ALTER TABLE approvals ADD COLUMN notified REAL",),
    (
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
    ),
    (
        """CREATE TABLE browser_sessions (
            digest TEXT PRIMARY KEY,
            principal TEXT NOT NULL,
            access TEXT NOT NULL,
            source TEXT NOT NULL,
            created REAL NOT NULL,
            expires REAL NOT NULL
        )""",
        "CREATE TABLE sign_in_links (digest TEXT PRIMARY KEY, principal TEXT NOT NULL, expires REAL NOT NULL)",
    ),
    (
        """CREATE TABLE agent_conversations (
            id TEXT PRIMARY KEY,
            principal TEXT NOT NULL,
            title TEXT NOT NULL,
            created REAL NOT NULL,
            updated REAL NOT NULL,
            status TEXT NOT NULL,
            turn TEXT NOT NULL,
            third_party_text INTEGER NOT NULL,
            lease_by TEXT NOT NULL,
            lease_until REAL NOT NULL,
            cancelling INTEGER NOT NULL,
            caller TEXT NOT NULL DEFAULT '{}'
        )""",
        "CREATE INDEX agent_conversations_by_principal ON agent_conversations (principal, updated)",
        """CREATE TABLE agent_runs (
            conversation TEXT NOT NULL, id TEXT NOT NULL, turn TEXT NOT NULL, after_event INTEGER NOT NULL,
            PRIMARY KEY (conversation, id)
        )""",
        """CREATE TABLE agent_messages (
            conversation TEXT NOT NULL,
            number INTEGER NOT NULL,
            turn TEXT NOT NULL,
            kind TEXT NOT NULL,
            body TEXT NOT NULL,
            PRIMARY KEY (conversation, number)
        )""",
        """CREATE TABLE agent_calls (
            conversation TEXT NOT NULL,
            id TEXT NOT NULL,
            turn TEXT NOT NULL,
            message INTEGER NOT NULL,
            position INTEGER NOT NULL,
            tool TEXT NOT NULL,
            arguments TEXT NOT NULL,
            status TEXT NOT NULL,
            approval TEXT,
            binding TEXT,
            text TEXT NOT NULL DEFAULT '',
            log TEXT NOT NULL DEFAULT '',
            PRIMARY KEY (conversation, id)
        )""",
        "CREATE INDEX agent_calls_by_status ON agent_calls (status)",
        """CREATE TABLE agent_events (
            conversation TEXT NOT NULL,
            id INTEGER NOT NULL,
            turn TEXT NOT NULL,
            at REAL NOT NULL,
            kind TEXT NOT NULL,
            body TEXT NOT NULL,
            PRIMARY KEY (conversation, id)
        )""",
        """CREATE TABLE agent_usage (
            conversation TEXT NOT NULL,
            principal TEXT NOT NULL,
            day TEXT NOT NULL,
            requests INTEGER NOT NULL,
            input_tokens INTEGER NOT NULL,
            output_tokens INTEGER NOT NULL,
            cost REAL NOT NULL,
            tool_calls INTEGER NOT NULL,
            seconds REAL NOT NULL,
            PRIMARY KEY (conversation, day)
        )""",
        "CREATE INDEX agent_usage_by_day ON agent_usage (day, principal)",
    ),
    (
        "CREATE TABLE calls (id INTEGER PRIMARY KEY, account TEXT NOT NULL, principal TEXT NOT NULL, at REAL NOT NULL)",
        "CREATE INDEX calls_of ON calls (account, principal, at)",
    ),
    ("ALTER TABLE tokens ADD COLUMN relay INTEGER NOT NULL DEFAULT 0",),
    (
        # The number of the newest entry, even if it was removed, and the hash of the last entry still there.
        Each(
            sqlite="""CREATE VIEW audit_head AS SELECT
            coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'audit_log'), 0) AS seq,
            coalesce((SELECT hash FROM audit_log ORDER BY seq DESC LIMIT 1), (SELECT hash FROM audit_anchor)) AS hash""",
            postgresql="""CREATE VIEW audit_head AS SELECT (SELECT seq FROM audit_newest) AS seq,
            coalesce((SELECT hash FROM audit_log ORDER BY seq DESC LIMIT 1), (SELECT hash FROM audit_anchor)) AS hash""",
        ),
    ),
    (
        """CREATE TABLE webhook_deliveries (
            id TEXT PRIMARY KEY,
            endpoint TEXT NOT NULL,
            event TEXT NOT NULL,
            subject TEXT NOT NULL,
            number INTEGER NOT NULL,
            body TEXT NOT NULL,
            created REAL NOT NULL,
            attempts INTEGER NOT NULL,
            next_at REAL NOT NULL,
            status TEXT NOT NULL,
            UNIQUE (endpoint, event, subject, number)
        )""",
        "CREATE INDEX webhook_deliveries_due ON webhook_deliveries (status, next_at)",
    ),
    (
        # Appends in one round trip, unless another entry is last: then it returns that one. See audit/shared_append.py.
        Each(
            postgresql="""CREATE FUNCTION append_to_audit_log(
                whole bigint, own bigint, expected_seq bigint, expected_hash text, written double precision, entries json,
                OUT newest bigint, OUT last_hash text
            ) LANGUAGE plpgsql SET lock_timeout = 5000 AS $$
            BEGIN
                PERFORM pg_advisory_xact_lock_shared(whole), pg_advisory_xact_lock(own);
                SELECT head.seq, head.hash INTO newest, last_hash FROM audit_head AS head;
                IF newest = expected_seq AND last_hash = expected_hash THEN
                    INSERT INTO audit_log (seq, at, call, kind, body, prev, hash)
                    SELECT expected_seq + number, written, entry ->> 0, entry ->> 1, entry ->> 2,
                        lag(entry ->> 3, 1, expected_hash) OVER (ORDER BY number), entry ->> 3
                    FROM json_array_elements(entries) WITH ORDINALITY AS listed (entry, number);
                    newest := NULL;
                END IF;
            END $$""",
        ),
    ),
    (
        """CREATE TABLE call_tasks (
            id TEXT PRIMARY KEY,
            principal TEXT NOT NULL,
            client TEXT NOT NULL,
            tool TEXT NOT NULL,
            arguments BLOB NOT NULL,
            approval TEXT NOT NULL,
            created REAL NOT NULL,
            updated REAL NOT NULL,
            expires REAL NOT NULL,
            status TEXT NOT NULL,
            claimed_until REAL NOT NULL,
            outcome BLOB NOT NULL
        )""",
        "CREATE INDEX call_tasks_by_approval ON call_tasks (approval, status)",
        "CREATE INDEX call_tasks_by_age ON call_tasks (expires)",
    ),
    (
        """CREATE TABLE kept_results (
            name TEXT PRIMARY KEY,
            principal TEXT NOT NULL,
            account TEXT NOT NULL,
            boundary TEXT,
            data BLOB NOT NULL,
            size INTEGER NOT NULL,
            created REAL NOT NULL
        )""",
        "CREATE INDEX kept_results_by_principal ON kept_results (principal, created)",
        "CREATE INDEX kept_results_by_age ON kept_results (created)",
    ),
    (
        """CREATE TABLE slack_questions (
            approval TEXT NOT NULL,
            channel TEXT NOT NULL,
            ts TEXT NOT NULL,
            PRIMARY KEY (approval, channel, ts)
        )""",
    ),
    (
        """CREATE TABLE personal_keys (
            principal TEXT PRIMARY KEY, region TEXT NOT NULL, created REAL NOT NULL, encrypted BLOB NOT NULL
        )""",
    ),
    (announced("tokens"), announced("agent_events", "INSERT"), announced("snapshots", "UPDATE OF undone")),
    # Has everything needed to choose which results are too many. The results themselves are large and not read for it.
    ("DROP INDEX kept_results_by_age", "CREATE INDEX kept_results_by_age ON kept_results (created, name, size)"),
    (
        """CREATE TABLE address_changes (
            id INTEGER PRIMARY KEY, account TEXT NOT NULL, addresses INTEGER NOT NULL, at REAL NOT NULL
        )""",
        "CREATE INDEX address_changes_by_account ON address_changes (account, at)",
        "CREATE INDEX address_changes_by_age ON address_changes (at)",
    ),
    ("ALTER TABLE address_changes ADD COLUMN route TEXT",),
    (
        # Once for all entries of an append. Once for each took a third of the database's time.
        Each(postgresql="DROP TRIGGER audit_log_is_numbered ON audit_log"),
        Each(postgresql="DROP FUNCTION note_newest_entry"),
        Each(
            postgresql="""CREATE FUNCTION note_newest_entry() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                UPDATE audit_newest SET seq = added.newest FROM (SELECT max(seq) AS newest FROM added) AS added
                WHERE audit_newest.seq < added.newest;
                RETURN NULL;
            END $$"""
        ),
        Each(
            postgresql="""CREATE TRIGGER audit_log_is_numbered AFTER INSERT ON audit_log
            REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_newest_entry()"""
        ),
    ),
)
