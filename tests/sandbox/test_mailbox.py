import smtplib
import socket
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from sandbox.mailbox import Mailbox, MailServer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def port(world) -> Iterator[int]:
    server = MailServer(world.mailbox, world.faults, port=free_port())
    server.start()
    yield server.port
    server.stop()


def letter(to: str = "buyer@example.org") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Store <store@example.org>"
    message["To"] = to
    message["Subject"] = "Grüße – your designs"
    message["Message-ID"] = "<order-1@example.org>"
    message.set_content("Download: http://127.0.0.1:5000/d/s3cret.\n\nÜber 1 < 2")
    message.add_alternative(
        "<html><head><title>x</title></head><body><b>Grüße</b><script>x()</script></body></html>",
        subtype="html",
    )
    return message


def send(port: int, message: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as server:
        server.send_message(message)


def test_a_letter_sent_is_a_letter_read(port, client):
    send(port, letter())
    [facts] = client.get("/mailbox.json").json
    assert facts["to"] == ["buyer@example.org"]
    assert facts["from"] == "Store <store@example.org>"
    assert facts["subject"] == "Grüße – your designs"
    assert facts["message_id"] == "<order-1@example.org>"
    assert facts["text"] == "Download: http://127.0.0.1:5000/d/s3cret.\n\nÜber 1 < 2\n"
    assert facts["date"] == "2027-01-15T08:00:00+00:00"
    assert facts["id"] == 1


def test_letters_are_listed_newest_first_and_by_recipient(port, client):
    for to in ("one@example.org", "two@example.org", "One@Example.org"):
        send(port, letter(to))
    assert [facts["id"] for facts in client.get("/mailbox.json").json] == [3, 2, 1]
    only = client.get("/mailbox.json?to=one@example.org").json
    assert [facts["id"] for facts in only] == [3, 1]
    assert client.get("/mailbox.json?to=ne@example.org").json == []


def test_a_letters_page_shows_its_text_and_frames_its_html(port, client):
    send(port, letter())
    page = client.get("/mailbox/1").text
    assert '<a href="http://127.0.0.1:5000/d/s3cret">' in page
    assert "Über 1 &lt; 2" in page
    assert "x()" not in page
    assert 'sandbox="allow-popups' in page
    html = client.get("/mailbox/1/html")
    assert "<b>Grüße</b>" in html.text
    policy = html.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "allow-scripts" not in policy
    source = client.get("/mailbox/1/source")
    assert source.mimetype == "text/plain"
    assert "Message-ID: <order-1@example.org>" in source.text
    assert client.get("/mailbox/2").status_code == 404
    assert "Grüße – your designs" in client.get("/mailbox").text


def test_letters_outlive_a_restart(port, world, tmp_path, clock):
    send(port, letter())
    again = Mailbox(tmp_path, clock)
    assert [kept.subject for kept in again.letters()] == ["Grüße – your designs"]
    again.close()


def test_the_mailbox_can_be_emptied(port, client):
    send(port, letter())
    client.post("/mailbox/empty")
    assert client.get("/mailbox.json").json == []


def test_a_server_out_of_service_refuses_the_connection(port, act, client):
    act("/faults", name="mail", value="refuse")
    with pytest.raises(smtplib.SMTPConnectError) as refused:
        send(port, letter())
    assert refused.value.smtp_code == 421
    act("/faults/reset")
    send(port, letter())
    assert len(client.get("/mailbox.json").json) == 1


@pytest.mark.parametrize(("mood", "code"), [("defer", 450), ("reject", 550)])
def test_one_recipient_may_be_refused_for_now_or_for_good(port, act, client, mood, code):
    act("/faults", name="mail", value=mood)
    act("/faults", name="mail_recipient", value="Bad@example.org")
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(port, letter("bad@example.org"))
    assert refused.value.recipients["bad@example.org"][0] == code
    send(port, letter("good@example.org"))
    act("/faults", name="mail_recipient", value="")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(port, letter("good@example.org"))
    assert len(client.get("/mailbox.json").json) == 1
