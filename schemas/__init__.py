"""The contracts: Arrow schemas of everything that crosses a step, and the base of the configs."""
