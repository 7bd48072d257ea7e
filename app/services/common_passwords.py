"""Passwords that would be tried first, as far as they are long enough to be chosen here."""

from __future__ import annotations

MINIMUM = 12
_WORDS = """
    password passw0rd p@ssw0rd welcome letmein iloveyou qwerty qwertyuiop asdfghjkl
    zxcvbnm admin administrator changeme secret superman batman spiderman football
    baseball basketball sunshine princess dragon monkey shadow master michael jennifer
    jessica charlie computer internet starwars trustno1 whatever liverpool chocolate
    butterfly bitcoin bitcoinsv satoshi nakamoto satoshinakamoto blockchain satchel
    freedom mustang corvette yankees pokemon minecraft abcdef abcdefgh
"""
_ENDINGS = """
    1 12 123 1234 12345 123456 1234567 12345678 123456789 1234567890 ! 1! 123! 1234!
    12345! 123456! !!! 2020 2021 2022 2023 2024 2025 2026 0000 1111 4321 abc abc123 qwerty
    password
"""
_PHRASES = """
    1q2w3e4r5t6y 1q2w3e4r5t6y7u 1qaz2wsx3edc 1qaz2wsx3edc4rfv q1w2e3r4t5y6 qazwsxedcrfv
    qazwsxedc123 zaq12wsxcde3 qwertyuiopasdf qwertyuiopasdfgh qwertyuiopasdfghjkl
    qwertyuiop[] asdfghjklzxc qwertyasdfgh qwerty123456 123456qwerty 123qweasdzxc
    qweasdzxc123 password1234567890 passwordpassword correcthorsebatterystaple
    thisismypassword mypassword123 mypassword1234 mysecretpassword letmeinletmein
    letmeinplease iloveyouforever iloveyousomuch iloveyoubaby nothingtoseehere whatthefuck
    fuckyoufuckyou administrator administrator1 rootrootroot testtesttest testpassword
    defaultpassword changeme1234 temppassword welcomehome1 happybirthday manchesterunited
    michaeljordan notmypassword passwordishard unbelievable toyotacorolla harleydavidson
    christopher1 abcdefghijkl abcdefghijklm abcdefghijklmnop abcdefghijklmnopqrstuvwxyz
    abcd12345678 abc123abc123 abcabcabcabc a1b2c3d4e5f6 a123456789012 aa1234567890
    123456789abc 123456789012 1234567890123 12345678901234 123456789012345
    1234567890123456 12345678912345 123123123123 123321123321 112233445566 121212121212
    147258369147 987654321098 0987654321098 098765432109 012345678901 0123456789ab
    0123456789abcdef 111111222222 asdfasdfasdf asdasdasdasd qweqweqweqwe qwerqwerqwer
    zxcvzxcvzxcv 1234qwerasdf 1234qwerasdfzxcv q1w2e3r4t5y6u7i8 p@ssw0rd1234 p@ssword1234
    passw0rd1234 pa$$word1234
"""
_SEQUENCES = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz")


class _Common:
    """What counts as common: the lists above, one thing said over and over, letters in a row."""

    def __contains__(self, password: object) -> bool:
        return isinstance(password, str) and (
            password in _LISTED or _repeats(password) or any(password in row for row in _SEQUENCES)
        )


def _repeats(password: str) -> bool:
    """Whether it is one piece of up to six characters, over and over."""
    return (password + password).find(password, 1) <= 6


_LISTED = frozenset(
    candidate
    for candidate in (
        *_PHRASES.split(),
        *(word + ending for word in _WORDS.split() for ending in _ENDINGS.split()),
        *(word + word for word in _WORDS.split()),
    )
    if len(candidate) >= MINIMUM
)
COMMON = _Common()
