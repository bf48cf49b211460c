"""Checks a flow, brings it into one canonical form, and computes its tracker.

The fields may come straight from an alarm. Each is checked as plain text and none is ever templated:
a flow that leaves this file holds nothing that Jinja, YAML, XML or pf could interpret.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re

FIELDS = ("type", "interface", "ipprotocol", "protocol", "source", "destination", "port")
TYPES = ("block", "reject")
FAMILIES = ("inet", "inet6")
PROTOCOLS = ("tcp", "udp", "tcp/udp", "icmp", "any")
WITHOUT_PORT = ("icmp", "any")

# Above every tracker that pfSense derives from its clock until 2033, and below 2^31.
BAND_START, BAND_SIZE = 2000000000, 147483648

# pf cuts a label at 63 bytes, eleven of which are pfSense's own prefix "USER_RULE: ".
MAX_DESCRIPTION = 52

# OSSIM passes a keyword on literally if it has no value for it.
KEYWORD = re.compile(
    r"(DATE|PLUGIN_ID|PLUGIN_SID|RISK|PRIORITY|RELIABILITY|SRC_IP_HOSTNAME|DST_IP_HOSTNAME|SRC_IP|DST_IP"
    r"|SRC_PORT|DST_PORT|PROTOCOL|SENSOR|BACKLOG_ID|EVENT_ID|PLUGIN_NAME|SID_NAME|USERNAME|PASSWORD|FILENAME"
    r"|USERDATA[1-9])"
)
TEMPLATE = re.compile(r"\{\{|\{%|\{#")
INTERFACE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")


class FlowError(ValueError):
    """A flow that must not reach the firewall. Its text is a sentence for the operator."""


def canonical_flow(raw):
    """The canonical form of a mapping of FIELDS (and description, tracker).

    Raises FlowError. A tracker that does not belong to the flow is refused: it would be another rule's.
    """
    if not isinstance(raw, dict):
        raise FlowError("expected a flow (a mapping), got %s" % type(raw).__name__)
    unknown = sorted(str(key) for key in raw if key not in FIELDS + ("description", "tracker"))
    if unknown:
        raise FlowError("a flow has no field %s" % quote(unknown[0]))

    source = address("source", field_text(raw, "source"))
    destination = address("destination", field_text(raw, "destination"))
    protocol = one_of("protocol", field_text(raw, "protocol", "tcp").lower(), PROTOCOLS)
    family = "inet6" if source.version == 6 else "inet"
    if source.version != destination.version:
        raise FlowError(
            "%s and %s are of different families: no packet flows between IPv4 and IPv6"
            % (address_text(source), address_text(destination))
        )
    if source == destination:
        raise FlowError("%s is both source and destination: name the attacker as source" % address_text(source))
    given = one_of("ipprotocol", field_text(raw, "ipprotocol", family), FAMILIES)
    if given != family:
        raise FlowError("ipprotocol: the addresses are %s, got %s: pfSense would not load the rule" % (family, given))

    flow = {
        "type": one_of("type", field_text(raw, "type", "block"), TYPES),
        "interface": interface(field_text(raw, "interface", "wan")),
        "ipprotocol": family,
        "protocol": protocol,
        "source": address_text(source),
        "destination": address_text(destination),
        "port": port(field_text(raw, "port", ""), protocol),
        "description": clean_description(field_text(raw, "description", "")),
    }
    flow["tracker"] = checked_tracker(flow, raw.get("tracker"))
    return flow


def field_text(raw, name, default=None):
    """One field as text. A template is refused, not evaluated: it is an alarm's text, not the operator's."""
    value = raw.get(name)
    if value is None or (value == "" and default):
        value = default
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise FlowError("%s: expected text, got %s" % (name, "nothing" if value is None else type(value).__name__))
    text = str(value)
    if TEMPLATE.search(text):
        raise FlowError("%s holds a template (%s): refused, and not evaluated" % (name, quote(text)))
    if KEYWORD.fullmatch(text):
        raise FlowError("%s is the literal word %s: the SIEM did not fill it in" % (name, text))
    return text


def one_of(name, text, choices):
    if text in choices:
        return text
    hint = ""
    if text.lower() in choices:
        hint = ": pfSense accepts it in lower case only, and would generate a pass rule"
    raise FlowError("%s: expected one of %s, got %s%s" % (name, ", ".join(choices), quote(text), hint))


def interface(text):
    if not INTERFACE.fullmatch(text):
        raise FlowError("interface: expected the firewall's own key, such as wan, lan or opt1, got %s" % quote(text))
    return text


def address(name, text):
    """An address or network. What pfSense would silently drop is refused."""
    host = text.split("/")[0]
    if "%" in text:
        raise FlowError("%s: expected an address without a zone, got %s" % (name, quote(text)))
    if re.fullmatch(r"[0-9.]+", host) and re.search(r"(^|\.)0[0-9]", host):
        raise FlowError("%s: leading zeros are ambiguous, got %s" % (name, quote(text)))
    if "/" in text and not re.fullmatch(r"[^/]+/(0|[1-9][0-9]{0,2})", text):
        raise FlowError("%s: expected address/length, got %s" % (name, quote(text)))
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        reason = "the host bits are not zero" if "host bits" in str(error) else "a rule needs the address itself"
        raise FlowError(
            "%s: expected an IPv4 or IPv6 address, got %s (%s)" % (name, quote(text), reason)
        ) from None
    start = network.network_address
    if network.version == 6 and start.ipv4_mapped is not None:  # as a dual-stack socket reports an IPv4 peer
        network = ipaddress.ip_network("%s/%d" % (start.ipv4_mapped, network.prefixlen - 96))
        start = network.network_address
    if network.prefixlen == 0 or start.is_unspecified:
        raise FlowError("%s: %s is not a host address (OSSIM sends it when it has none)" % (name, text))
    return network


def address_text(network):
    single = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if single else str(network)


def port(text, protocol):
    if protocol in WITHOUT_PORT:
        if text in ("", "0"):
            return ""
        raise FlowError("port: %s has no ports: leave it empty, got %s" % (protocol, quote(text)))
    if re.fullmatch(r"[1-9][0-9]{0,4}", text) and int(text) <= 65535:
        return text
    raise FlowError("port: expected 1-65535, got %s" % quote(text))


def clean_description(text):
    """Keeps only characters that no interpreter on the way treats specially."""
    text = re.sub(r"[^A-Za-z0-9 .:_-]+", " ", text)
    return re.sub(r" +", " ", text).strip()[:MAX_DESCRIPTION].strip()


def tracker_of(flow, attempt=0):
    identity = "|".join([flow[field] for field in FIELDS] + [str(attempt)])
    digest = hashlib.sha256(identity.encode()).digest()
    return BAND_START + int.from_bytes(digest[:8], "big") % BAND_SIZE


def checked_tracker(flow, given):
    """The flow's tracker. A given one may be of a later attempt, if the first belonged to another flow."""
    if given is None or given == "":
        return tracker_of(flow)
    if isinstance(given, bool) or not re.fullmatch(r"[0-9]{10}", str(given)):
        raise FlowError("tracker: expected a number of ten digits, got %s" % quote(given))
    for attempt in range(100):
        if tracker_of(flow, attempt) == int(given):
            return int(given)
    raise FlowError("tracker %s does not belong to %s: leave it out to have it computed" % (given, describe(flow)))


def describe(flow):
    service = "/".join(part for part in (flow["protocol"], flow["port"]) if part)
    return "%s -> %s %s on %s" % (flow["source"], flow["destination"], service, flow["interface"])


def show(flow):
    """The rule in one line, for --diff."""
    return "%s, %s (tracker %d)" % (flow["type"], describe(flow), flow["tracker"])


def show_inside(end):
    """The note on a flow whose rule blocks another end, behind a port forward."""
    return ", forwarded to %s" % "/".join(filter(None, (end["destination"], end["port"]))) if end else ""


def quote(value):
    """The bad value in a form that is safe to show: printable, short and without template marks."""
    text = re.sub(r"[^\x20-\x7e]", "?", str(value))
    text = re.sub(r"[{}]", "?", text)
    return '"%s"' % (text if len(text) <= 60 else text[:57] + "...")
