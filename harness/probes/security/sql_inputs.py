"""Well-known inputs: texts that do something only where a program builds SQL of them."""

from urllib.parse import quote, quote_plus

#: after OWASP's testing guide (WSTG-INPV-05) and sqlmap's boundaries: quoting, tautologies, unions, stacked statements,
#: errors that tell, comments, wildcards, encodings, and waiting where nothing else shows
INJECTIONS = (
    "'",
    "''",
    '"',
    "`",
    "\\",
    "\\' OR 1=1 --",
    "' OR '1'='1",
    "' OR 1=1 --",
    "' OR 1=1 #",
    "') OR ('1'='1",
    "')) OR (('1'='1' --",
    '" OR ""="',
    "1 OR 1=1",
    "admin' --",
    "%' OR '1'='1' --",
    "'/**/OR/**/1=1/**/--",
    "' UNION SELECT NULL --",
    "' UNION SELECT username, password, 1, 1 FROM users --",
    "' UNION SELECT sql, 1, 1, 1 FROM sqlite_master --",
    "' AND 1=CAST((SELECT version()) AS int) --",
    "'||(SELECT sqlite_version())||'",
    "'; DROP TABLE users; --",
    "'; UPDATE users SET role='admin'; --",
    "1; DELETE FROM messages",
    "%",
    "_",
    "ʼ OR 1=1 --",
    "%27%20OR%201=1 --",
)
#: each holds a database up for seconds, if it gets that far: PostgreSQL, and SQLite, which cannot sleep
DELAYS = (
    "'; SELECT pg_sleep(4); --",
    "' OR 1=(SELECT 1 FROM pg_sleep(4)) --",
    "' OR 1=(WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT 10000000) SELECT max(x) FROM c) --",
)
#: for inputs that cost a password hash each
FEW = ("'", "' OR '1'='1", "admin' --", "' UNION SELECT username, password, 1, 1 FROM users --", "%")
#: what a database says when it was handed half a statement, and what only a database holds
TELLTALE = (
    "syntax error",
    "unrecognized token",
    "no such column",
    "sqlite3.",
    "sqlite_master",
    "psycopg",
    "OperationalError",
    "ProgrammingError",
    "Traceback (most recent call last)",
    "pbkdf2_",
    "PostgreSQL 1",
    "CREATE TABLE",
)
SLOW_S = 3.0
#: without single characters, which are part of what gives a database away too
_LONGEST_FIRST = sorted((one for one in (*INJECTIONS, *DELAYS) if len(one) > 2), key=len, reverse=True)


def telltale(body: str) -> str | None:
    """Return what an answer lets out, None for nothing; the inputs themselves may come back as they are."""
    for given in _LONGEST_FIRST:
        for spelled in (given, quote(given, safe=""), quote_plus(given)):  # pages hold their own addresses
            body = body.replace(spelled, "")
    return next((word for word in TELLTALE if word in body), None)
