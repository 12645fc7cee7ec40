"""Secrets in text that people are shown: SQL and code often carry passwords, keys and tokens.

Only what is shown is changed; the archived event stays as it came. The rules look for names that announce a secret
(``PASSWORD = '…'``), for addresses with a password in them, and for the fixed forms of well-known keys.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

MASK = "***"
_NAMES = (
    r"(?:password|passwd|pwd|passphrase|secret|token|api[._-]?key|access[._-]?key(?:[._-]?id)?|aws[._-]?key(?:[._-]?id)?|"
    r"secret[._-]?key|account[._-]?key|private[._-]?key|credentials?|authorization|connection[._-]?string)"
)
_QUOTED = r"""(?:'(?:[^']|'')*'|"(?:[^"]|"")*")"""
_RULES = (
    # PASSWORD = '…', aws_secret_key => '…', "token": "…", IDENTIFIED BY '…', CREDENTIALS '…'
    (re.compile(rf"(\b\w*{_NAMES}\w*['\"]?\s*(?:=>|:=|=|:)?\s*){_QUOTED}", re.IGNORECASE), rf"\1'{MASK}'"),
    (re.compile(rf"(\bidentified\s+(?:with\s+\S+\s+)?by\s+){_QUOTED}", re.IGNORECASE), rf"\1'{MASK}'"),
    # ;Password=…; ?token=…, host=db password=…: without quotes in connection strings, not in conditions of SQL
    (
        re.compile(rf"((?:[;'\"?&]|=[^\s=]+\s)\s*\w*{_NAMES}\w*=)(?![\s'\"*(])[^\s;,'\")&]+", re.IGNORECASE),
        rf"\1{MASK}",
    ),
    # --password x, --api-key=x: arguments of jobs
    (re.compile(rf"(--[\w-]*{_NAMES}[\w-]*[=\s]\s*)(?!['\"-])\S+", re.IGNORECASE), rf"\1{MASK}"),
    # scheme://user:password@host
    (re.compile(r"(\b[a-z][\w+.-]*://[^\s:/@'\"]*:)[^\s/@'\"]+@", re.IGNORECASE), rf"\1{MASK}@"),
    # fixed forms: AWS, GitHub, Slack, Google, JSON web token, bearer header, PEM, signature in an Azure address
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), MASK),
    (re.compile(r"\b(?:gh[pousr]_\w{20,}|xox[abprs]-[\w-]{10,}|AIza[\w-]{30,})"), MASK),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), MASK),
    (re.compile(r"(\bbearer\s+)[\w.~+/-]{8,}=*", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"([?&]sig=)[^&\s'\"]+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MASK),
)
# password=…, export DB_PASSWORD=… in messages and arguments, but neither a call nor an item (password=os.environ["P"]),
# and not in SQL: "where token=b.token" compares two columns.
_PLAIN = re.compile(rf"((?:\b|_){_NAMES}=)(?![\s'\"*(=])(?![\w.]+\s*[(\[])[^\s;,'\")&]+", re.IGNORECASE)
_SQL = re.compile(r"\b(?:select|where|join|merge\s+into|delete\s+from|update\s+\S+\s+set)\b", re.IGNORECASE)
# A key of an object, or the name of an environment variable, whose whole value is a secret.
_KEY = re.compile(
    rf"(?:^|.*[_.\-])(?:{_NAMES})(?:$|[_.\-](?:value|text|plain|hash)$)"
    r"|.*(?:Password|Secret|ApiKey|AccessKey|SecretKey|PrivateKey|AuthToken|AccessToken|ConnectionString)$"
    r"|.*account\.key\..*",  # fs.azure.account.key.NAME.dfs.core.windows.net
    re.IGNORECASE,
)
_FLAG = re.compile(rf"--?[\w-]*{_NAMES}[\w-]*", re.IGNORECASE)
# What holds none of these holds no secret that the rules know. Looking for fixed words one after the other is
# several times as fast as one pattern for all of them, and nearly all texts go no further.
_SIGNS = (
    "passw", "pwd", "passphrase", "secret", "token", "credential", "authorization", "identified", "bearer",
    *(f"{what}{sign}key" for what in ("api", "access", "aws", "account", "private") for sign in ("", "_", "-", ".")),
    *(f"connection{sign}string" for sign in ("", "_", "-", ".")), "private key",
    "akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "xox", "aiza", "eyj", "sig=",
)  # fmt: skip
_LEADS = ("key", "pass", "connection", "gh")  # words that several signs share: where they are not, none of these is
_LOOKED_FOR = (
    *((lead, tuple(sign for sign in _SIGNS if lead in sign)) for lead in _LEADS),
    *((sign, (sign,)) for sign in _SIGNS if not any(lead in sign for lead in _LEADS)),
)
_ESCAPES = ("\\u00", "\\/")  # in JSON, these may hide a sign
_ADDRESS = re.compile(r"://[^/\s\"']*@")
_NAMED = ("name", "key")  # of {"name": …, "value": …}


def redact(text: str) -> str:
    """The text with its secrets masked.

    >>> redact("COPY INTO t FROM 's3://b' CREDENTIALS=(AWS_KEY_ID='a' AWS_SECRET_KEY='b c')")
    "COPY INTO t FROM 's3://b' CREDENTIALS=(AWS_KEY_ID='***' AWS_SECRET_KEY='***')"
    >>> redact("select token_count, password_changed_at from users where name = 'x'")
    "select token_count, password_changed_at from users where name = 'x'"
    >>> redact("could not connect: user=ada password=s3cret")
    'could not connect: user=ada password=***'
    >>> redact("select * from a join b on a.token=b.token")
    'select * from a join b on a.token=b.token'
    >>> redact("postgres://ada:s3cret@db/shop")
    'postgres://ada:***@db/shop'
    """
    if not _suspicious(text):
        return text
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text if _SQL.search(text) else _PLAIN.sub(rf"\1{MASK}", text)


def _suspicious(text: str) -> bool:
    """Whether a text may hold a secret; ``False`` is certain."""
    if "@" in text and _ADDRESS.search(text):
        return True
    low = text.casefold()
    found = [signs for lead, signs in _LOOKED_FOR if lead in low]
    return any(sign in low for signs in found for sign in signs)


def redact_value(value: Any) -> Any:
    """A JSON value with the secrets in its texts masked, and whole values under keys that announce one.

    >>> redact_value({"user": "ada", "dbPassword": "x", "env": [{"name": "API_KEY", "value": "y"}]})
    {'user': 'ada', 'dbPassword': '***', 'env': [{'name': 'API_KEY', 'value': '***'}]}
    >>> redact_value(["run.py", "--token", "abc", "--rows", "7"])
    ['run.py', '--token', '***', '--rows', '7']
    """
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        secret = any(isinstance(value.get(key), str) and _KEY.fullmatch(value[key]) for key in _NAMED)
        return {
            key: MASK if _hides(key, inner) or (secret and key == "value") else redact_value(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        found = [redact_value(inner) for inner in value]
        for before, after in pairwise(range(len(value))):
            flag, word = value[before], value[after]
            if isinstance(flag, str) and isinstance(word, str) and _FLAG.fullmatch(flag) and not word.startswith("-"):
                found[after] = MASK
        return found
    return value


def redact_facet(text: str) -> str:
    """JSON text of a facet with its secrets masked; the same text when it holds none.

    >>> redact_facet('{"query": "select 1"}')
    '{"query": "select 1"}'
    """
    if _ESCAPES[0] not in text and _ESCAPES[1] not in text and not _suspicious(text):
        return text
    return redact_event(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


def redact_event(event: bytes) -> bytes:
    """An event with its secrets masked; the same bytes when it holds none.

    What is no JSON (it is refused anyway) is treated as text.
    """
    import msgspec

    try:
        value = msgspec.json.decode(event)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return redact(event.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    masked = redact_value(value)
    return event if masked == value else msgspec.json.encode(masked)


def _hides(key: str, value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and _KEY.fullmatch(key) is not None
