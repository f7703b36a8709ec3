#!/usr/bin/python3
"""Harbor Chat, the lab's demo application: a log-in form and a chat.

The same program as on the simulated guests (lab/guests/simulated/programs/harbor-chat.ts), here as GTK 3.
State: ~/.config/harbor/session.json, written after log-in; if it is there at start, the chat opens at once.
"""
import ctypes
import json
import os
import sys

VERSION = "1.4.0"
ACCOUNT = "alice@example.test"
PASSWORD = "harbor-demo-1"
PR_SET_NAME = 15
SESSION_FILE = os.path.expanduser("~/.config/harbor/session.json")

if "--version" in sys.argv[1:]:
    print(f"harbor-chat {VERSION}")
    sys.exit(0)

ctypes.CDLL(None).prctl(PR_SET_NAME, b"harbor-chat", 0, 0, 0)
# The bus of the accessibility layer does not run here; without this GTK waits for it at start.
os.environ["NO_AT_BRIDGE"] = "1"

import gi  # noqa: E402

gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402

STYLE = b"""
window { background: #ffffff; color: #1b2733; }
.heading { font-size: 22px; font-weight: bold; }
.channel { font-size: 19px; font-weight: bold; }
.label { font-size: 15px; }
.error { font-size: 15px; color: #b3261e; }
.account { background: #24506b; color: #ffffff; font-size: 15px; padding: 12px 24px; }
.message { font-size: 16px; }
entry { font-size: 16px; min-height: 38px; color: #1b2733; background: #ffffff; }
button.primary { font-size: 16px; min-height: 40px; color: #ffffff; background: #24506b; border: none;
  box-shadow: none; text-shadow: none; border-radius: 4px; padding: 0 26px; }
button.primary:hover { background: #2f6485; }
button.primary:focus { box-shadow: inset 0 0 0 2px #8fc1de; }
.placeholder { font-size: 16px; color: #6b7680; }
list row { padding: 0; }
list, list row, list row:hover, list row:selected { background: #ffffff; color: #1b2733; }
"""


def styled(widget, *names):
    for name in names:
        widget.get_style_context().add_class(name)
    return widget


def label(text, name):
    return styled(Gtk.Label(label=text, xalign=0), name)


def with_placeholder(entry, text):
    """GTK 3 hides an entry's own placeholder while the entry has the focus; this one stays until something is typed."""
    placeholder = label(text, "placeholder")
    placeholder.set_margin_start(10)
    overlay = Gtk.Overlay(hexpand=True)
    overlay.add(entry)
    overlay.add_overlay(placeholder)
    overlay.set_overlay_pass_through(placeholder, True)
    entry.connect("changed", lambda _: placeholder.set_opacity(0 if entry.get_text() else 1))
    return overlay


class LoginView(Gtk.Box):
    """The log-in form. `on_login(email)` is called with the right account and password."""

    def __init__(self, on_login):
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self.on_login = on_login
        self.set_size_request(380, -1)
        self.set_halign(Gtk.Align.CENTER)
        self.set_valign(Gtk.Align.CENTER)
        self.email = Gtk.Entry()
        self.password = Gtk.Entry(visibility=False, invisible_char="\u2022",
                                  input_purpose=Gtk.InputPurpose.PASSWORD)
        self.error = label(" ", "error")
        heading = label("Sign in to Harbor", "heading")
        heading.set_margin_bottom(18)
        self.add(heading)
        self.add_field("Email", self.email)
        self.add_field("Password", self.password)
        button = styled(Gtk.Button(label="Log in"), "primary")
        button.set_margin_top(10)
        button.connect("clicked", self.submit)
        self.add(button)
        self.error.set_margin_top(8)
        self.add(self.error)

    def add_field(self, text, entry):
        # A click on the label focuses the entry, as HTML labels do.
        box = Gtk.EventBox(visible_window=False)
        box.add(label(text, "label"))
        box.connect("button-press-event", lambda *_: entry.grab_focus())
        self.add(box)
        entry.set_margin_bottom(8)
        entry.connect("activate", self.submit)
        self.add(entry)

    def submit(self, _widget):
        email, password = self.email.get_text().strip(), self.password.get_text()
        if email == ACCOUNT and password == PASSWORD:
            self.on_login(email)
            return
        self.password.set_text("")
        self.error.set_text("Wrong email or password")


class ChatView(Gtk.Box):
    """The channel: messages, and an entry below them."""

    def __init__(self, email):
        super().__init__(orientation=Gtk.Orientation.VERTICAL)
        self.name = email.split("@")[0]
        account = label(f"Signed in as {email}", "account")
        self.add(account)
        channel = label("general channel", "channel")
        channel.set_margin_start(24)
        channel.set_margin_top(16)
        channel.set_margin_bottom(8)
        self.add(channel)
        self.messages = Gtk.ListBox(selection_mode=Gtk.SelectionMode.NONE, can_focus=False)
        self.scrolled = Gtk.ScrolledWindow(vexpand=True, hscrollbar_policy=Gtk.PolicyType.NEVER)
        self.scrolled.add(self.messages)
        self.messages.connect("size-allocate", self.scroll_down)
        self.add(self.scrolled)
        self.entry = Gtk.Entry(hexpand=True)
        self.entry.connect("activate", self.send)
        button = styled(Gtk.Button(label="Send"), "primary")
        button.connect("clicked", self.send)
        bar = Gtk.Box(spacing=14, margin=18)
        bar.add(with_placeholder(self.entry, "Write a message"))
        bar.add(button)
        self.add(bar)
        self.append("Welcome to Harbor")

    def append(self, text):
        message = label(text, "message")
        message.set_line_wrap(True)
        message.set_margin_start(24)
        message.set_margin_top(5)
        message.set_margin_bottom(5)
        row = Gtk.ListBoxRow(activatable=False, can_focus=False)
        row.add(message)
        row.show_all()
        self.messages.add(row)

    def scroll_down(self, *_):
        adjustment = self.scrolled.get_vadjustment()
        adjustment.set_value(adjustment.get_upper() - adjustment.get_page_size())

    def send(self, _widget):
        text = self.entry.get_text().strip()
        if text:
            self.append(f"{self.name}: {text}")
        self.entry.set_text("")
        self.entry.grab_focus()


class HarborChat(Gtk.Window):
    def __init__(self):
        super().__init__(title="Harbor Chat",
                         window_position=Gtk.WindowPosition.CENTER)
        self.set_default_size(860, 540)
        self.connect("destroy", Gtk.main_quit)
        email = stored_session()
        if email is None:
            self.show_view(LoginView(self.log_in), lambda view: view.email)
        else:
            self.show_view(ChatView(email), lambda view: view.entry)

    def log_in(self, email):
        os.makedirs(os.path.dirname(SESSION_FILE), exist_ok=True)
        with open(SESSION_FILE, "w", encoding="utf-8") as file:
            json.dump({"email": email}, file)
        self.show_view(ChatView(email), lambda view: view.entry)

    def show_view(self, view, focused):
        if self.get_child() is not None:
            self.remove(self.get_child())
        self.add(view)
        view.show_all()
        focused(view).grab_focus()


def stored_session():
    try:
        with open(SESSION_FILE, encoding="utf-8") as file:
            return json.load(file).get("email", ACCOUNT)
    except FileNotFoundError:
        return None
    except ValueError as error:
        print(f"harbor-chat: {SESSION_FILE}: {error}", file=sys.stderr)
        return None


def main():
    GLib.set_prgname("harbor-chat")
    provider = Gtk.CssProvider()
    provider.load_from_data(STYLE)
    Gtk.StyleContext.add_provider_for_screen(
        Gdk.Screen.get_default(), provider, Gtk.STYLE_PROVIDER_PRIORITY_APPLICATION)
    HarborChat().show_all()
    Gtk.main()


main()
