"""Build the pages' bundle when a wheel is made."""

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AssetsHook(BuildHookInterface):
    def initialize(self, version, build_data):
        pass
