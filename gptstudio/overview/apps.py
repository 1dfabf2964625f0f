"""Django's entry for the top floor: it tells the frame what it alone can see."""

from django.apps import AppConfig


class OverviewConfig(AppConfig):
    name = "gptstudio.overview"
    label = "overview"

    def ready(self) -> None:
        from gptstudio.overview import road, selectors
        from gptstudio.web import model_names, navigation
        from gptstudio.web.road import register
        from training_app.services import register_use

        navigation.register_counts(selectors.side_counts)
        model_names.register(selectors.callable_names)
        register_use(selectors.deployed_as)
        for noun, builder in road.BUILDERS.items():
            register(noun, builder)
