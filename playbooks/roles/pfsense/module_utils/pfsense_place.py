"""Chooses the tab of pfSense's rules page on which a block decides. Runs on the firewall, with Python 3.6 and up.

pf evaluates the floating rules first, then those of groups and VPN classes, then those of the interfaces. A block that is
the first rule of its interface therefore loses to a quick floating rule and to a rule of a group, and as a floating rule
ahead of all others it wins. It is decided before the edit, on the rules that pf has loaded.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.firebreak.core.plugins.module_utils.pf_proof import Loaded

FLOATING, GROUP, INTERFACE = range(3)  # in pf's order
NEVER_PASS = ("block", "reject", "match")
# From 2.9 on pfSense writes the rules of one group after those of another, and labels rules in this way. Before, they come
# in the order of the file, and a new rule is the first there.
LABEL_OF_2_9 = "tags=user_rule"
VPN_CLASSES = ("l2tp", "pppoe", "enc0", "openvpn")


def list_misplaced(config, flows, programs, rules):
    """The trackers of the flows that pf would pass ahead of a rule of their interface, and not of a floating rule.

    programs: the paths of pfctl and ifconfig. rules: what `pfctl -vvsr` lists, or None if that is not known. Nothing is
    decided if the configuration has no rule that could pass a packet first.
    """
    has_rival = any(passes_first(config, rule) for found in config.rules.values() for rule in found)
    if rules is None or not flows or not has_rival:
        return set()
    try:
        loaded = Loaded(programs["pfctl"], programs["ifconfig"], rules, flows, are_new=True)
        order = Order(config, loaded.rules)
        return set(flow["tracker"] for flow in flows if wins_only_floating(loaded, order, flow))
    except Exception:  # of any kind: the rules are proven after the load, wherever they are
        return set()


def passes_first(config, rule):
    if "disabled" in rule or rule.get("type") in NEVER_PASS:
        return False
    tab = find_tab(config, rule)
    return tab == GROUP or (tab == FLOATING and "quick" in rule)


def find_tab(config, rule):
    if "floating" in rule:
        return FLOATING
    return INTERFACE if rule.get("interface") in config.keys else GROUP


def wins_only_floating(loaded, order, flow):
    on_interface, floating = order.find_positions(flow["interface"])
    if on_interface <= floating or loaded.level_at(on_interface, flow) != "shadowed":
        return False
    return loaded.level_at(floating, flow) == "decides"


class Order:
    """Where new rules would stand among the loaded ones."""

    def __init__(self, config, rules):
        self.keys = config.keys
        known = {
            tracker: min((find_tab(config, rule), rule.get("interface", "")) for rule in found)
            for tracker, found in config.rules.items()
        }
        # (position, tab, key of the interface) of each loaded rule that the configuration has
        self.rules = [(position,) + known[rule.tracker] for position, rule in enumerate(rules) if rule.tracker in known]
        self.ranks = {}
        if any(LABEL_OF_2_9 in rule.labels for rule in rules):
            groups = [entry.get("ifname") for entry in config.entries.get("ifgroups/ifgroupentry", [])]
            self.ranks = {name: rank for rank, name in enumerate(groups + list(VPN_CLASSES))}

    def find_positions(self, key):
        """The position of a new rule of this interface, and of a floating one."""
        floating = self.rules[0][0] if self.rules else 0
        ahead = [position for position, tab, name in self.rules if self.comes_before(tab, name, key)]
        return max([floating - 1] + ahead) + 1, floating

    def comes_before(self, tab, name, key):
        if tab != GROUP:
            return tab == FLOATING
        return key in self.keys or self.ranks.get(name, -1) < self.ranks.get(key, -1)
