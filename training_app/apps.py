"""Django's entry for training."""

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training_app"
    label = "training"

    def ready(self) -> None:
        from gptstudio.core import storage
        from training_app import services
        from training_app.web.reviewing import register_kinds

        register_kinds()
        storage.register("exports", services.unwanted_exports)
        storage.register("runs", services.runs_with_erased_texts, forget=services.forget_run, in_bucket=False)
        storage.register("runs", services.runs_on_erased, here=False)
        storage.register("runs", services.spent_runs_here, forget=services.free_spent_run, in_bucket=False)
        storage.register("checkpoints", services.spent_runs, here=False)
        storage.register(
            "artifacts",
            services.weights_put_away_elsewhere,
            forget=services.drop_weights_here,
            in_bucket=False,  # of what was put away the small files stay there
        )
