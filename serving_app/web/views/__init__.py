"""Views of the playground, deployments and usage."""
