import pytest

from app.payments.onchain.addresses import AccountKey, AddressRefused, single
from tests.fakes.rails import ADDRESS, account


def test_an_account_key_gives_the_addresses_its_wallet_gives() -> None:
    from bsv.hd.bip32 import Xprv

    public, private = account()
    key = AccountKey(public, "test")
    for index in (0, 1, 7, 1000):
        wallets = Xprv(private).ckd(0).ckd(index)
        destination = key.destination(index)
        assert destination.address == wallets.private_key().public_key().address(
            network=wallets.network
        )
        assert destination.script.hex() == (
            "76a914" + wallets.private_key().public_key().hash160().hex() + "88ac"
        )


def test_the_branch_is_the_one_bip32_publishes() -> None:
    """BIP 32, test vector 2: chain m and its public child m/0."""
    from bsv.hd.bip32 import Xpub

    key = AccountKey(
        "xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY4"
        "7LJhkJ8UB7WEGuduB",
        "main",
    )
    branch = Xpub(
        "xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6"
        "r1D3tgFxHmwMkQTPH"
    )
    assert key.destination(5).address == branch.ckd(5).address()
    assert key.destination(5).address.startswith("1")


def test_every_address_is_fresh() -> None:
    key = AccountKey(account()[0], "sandbox")
    assert len({key.destination(index).address for index in range(50)}) == 50


def test_keys_are_told_apart_by_their_fingerprint() -> None:
    one, other = AccountKey(account(1)[0], "test"), AccountKey(account(2)[0], "test")
    assert one.fingerprint != other.fingerprint
    assert one.fingerprint == AccountKey(account(1)[0], "sandbox").fingerprint


@pytest.mark.parametrize("index", [-1, 2**31])
def test_a_number_outside_the_branch_is_refused(index: int) -> None:
    with pytest.raises(AddressRefused):
        AccountKey(account()[0], "test").destination(index)


@pytest.mark.parametrize("network", ["main", "test"])
def test_a_private_key_is_refused_and_never_repeated(network: str) -> None:
    private = account(network=network)[1]
    with pytest.raises(AddressRefused, match="BSV_XPUB is a private key") as refusal:
        AccountKey(private, network)
    assert private not in str(refusal.value)


def test_a_mistyped_private_key_is_not_repeated_either() -> None:
    private = account()[1]
    for mistyped in (private[:-1] + "0", private[:-1] + "1"):
        with pytest.raises(AddressRefused, match="BSV_XPUB is mistyped") as refusal:
            AccountKey(mistyped, "test")
        assert refusal.value.__cause__ is None
        assert mistyped not in str(refusal.value)


@pytest.mark.parametrize(
    ("made_for", "used_on"), [("test", "main"), ("main", "test"), ("main", "sandbox")]
)
def test_a_key_of_the_other_network_is_refused(made_for: str, used_on: str) -> None:
    with pytest.raises(AddressRefused, match="BSV_XPUB is of the other network"):
        AccountKey(account(network=made_for)[0], used_on)


def test_every_letter_of_a_key_is_checked() -> None:
    public = account()[0]
    for place, letter in enumerate(public):
        altered = public[:place] + ("2" if letter != "2" else "3") + public[place + 1 :]
        with pytest.raises(AddressRefused, match="BSV_XPUB"):
            AccountKey(altered, "test")


@pytest.mark.parametrize("text", ["", "xpub", "0OIl", ADDRESS, "é", "tpub" * 100])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(AddressRefused, match="BSV_XPUB"):
        AccountKey(text, "test")


def test_a_key_that_is_no_point_of_the_curve_is_refused() -> None:
    from bsv.base58 import base58check_decode, base58check_encode

    payload = base58check_decode(account()[0])
    for point in (b"\x02" + b"\xff" * 32, b"\x05" + b"\x01" * 32, b"\x00" * 33):
        with pytest.raises(AddressRefused, match="does not hold a public key"):
            AccountKey(base58check_encode(payload[:45] + point), "test")


def test_a_configured_address_leads_to_its_script() -> None:
    assert single(ADDRESS, "test").address == ADDRESS
    assert single(ADDRESS, "sandbox").script.hex().startswith("76a914")
    main = single("1BFaJwJz5KPYGe28afDkGswbuKK6uK8hzQ", "main")
    assert main.script.hex() == "76a9147072e2ef390050bc43726d487c117f96da9c534b88ac"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        (ADDRESS, "main"),
        ("1BFaJwJz5KPYGe28afDkGswbuKK6uK8hzQ", "test"),
        ("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "main"),
        (ADDRESS[:-1] + "9", "test"),
        ("", "test"),
        ("1", "main"),
        ("bitcoincash:qp3wjpa3tjlj042z2wv7hahsldgwhwy0rq9sywjpyy", "main"),
    ],
)
def test_an_address_that_is_none_of_this_network_is_refused(address: str, network: str) -> None:
    with pytest.raises(AddressRefused, match="BSV_ADDRESS"):
        single(address, network)
