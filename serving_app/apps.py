"""Django's entry for serving."""

from django.apps import AppConfig


class ServingConfig(AppConfig):
    name = "serving_app"
    label = "serving"

    def ready(self) -> None:
        from gptstudio.review.wording import Wording, register

        register(
            "guardrail",
            Wording(
                note="The rule held at once, and nothing depends on the decision: say whether it was right.",
                waits="A rule held. Say whether it was right.",
                approve="Rightly stopped",
                reject="False alarm",
                withdraw="It was a false alarm",
            ),
        )
        register(
            "feedback",
            Wording(
                note="A correction that is accepted can be made into a row to learn from; nothing is learnt by itself.",
                waits="Accept it, or say why not.",
                approve="Accept",
                reject="Do not accept",
            ),
        )
