"""Secrets in text that people are shown: SQL and code often carry passwords, keys and tokens.

Only what is shown is changed; the archived event stays as it came. The rules look for names that announce a secret
(``PASSWORD = '…'``), for addresses with a password in them, and for the fixed forms of well-known keys.
"""

from __future__ import annotations

import re

MASK = "***"
_NAMES = (
    r"(?:password|passwd|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|aws[_-]?key(?:[_-]?id)?|secret[_-]?key|"
    r"account[_-]?key|private[_-]?key|credentials?|authorization|connection[_-]?string)"
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


def redact(text: str) -> str:
    """The text with its secrets masked.

    >>> redact("COPY INTO t FROM 's3://b' CREDENTIALS=(AWS_KEY_ID='a' AWS_SECRET_KEY='b c')")
    "COPY INTO t FROM 's3://b' CREDENTIALS=(AWS_KEY_ID='***' AWS_SECRET_KEY='***')"
    >>> redact("select token_count, password_changed_at from users where name = 'x'")
    "select token_count, password_changed_at from users where name = 'x'"
    >>> redact("postgres://ada:s3cret@db/shop")
    'postgres://ada:***@db/shop'
    """
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
