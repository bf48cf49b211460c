"""The pattern of whole <rule> elements, for ansible.builtin.replace."""

from __future__ import annotations

from ansible_collections.firebreak.core.plugins.module_utils.rule_elements import rules_pattern


class FilterModule:
    def filters(self):
        return {"pfsense_rules_pattern": rules_pattern}
