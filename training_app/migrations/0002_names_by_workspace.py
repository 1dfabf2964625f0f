from django.db import migrations, models


def place_tokenizers(apps, schema_editor):
    """Tokenizers of a workspace's base models were everybody's; they become the workspace's."""
    tokenizers = apps.get_model("datasets", "Tokenizer").objects
    found = apps.get_model("training", "LanguageModel").objects.filter(kind="base", workspace__isnull=False)
    for model in found:
        for each in tokenizers.filter(key=model.name):
            each.delete()
            each.key, each.workspace_id = f"{model.workspace_id}/{model.name}", model.workspace_id
            each.save(force_insert=True)


class Migration(migrations.Migration):

    dependencies = [
        ('datasets', '0005_tokenizers_of_workspaces'),
        ('training', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='languagemodel',
            name='name',
            field=models.CharField(help_text='What programs call it: `ft:<base>:<ws>:<suffix>:<id>`.', max_length=200),
        ),
        migrations.AddIndex(
            model_name='languagemodel',
            index=models.Index(fields=['name'], name='models_by_name'),
        ),
        migrations.AddConstraint(
            model_name='languagemodel',
            constraint=models.UniqueConstraint(condition=models.Q(('archived_at__isnull', True)), fields=('workspace', 'name'), name='one_live_model_of_a_name_in_a_workspace'),
        ),
        migrations.AddConstraint(
            model_name='languagemodel',
            constraint=models.UniqueConstraint(condition=models.Q(('archived_at__isnull', True), ('workspace__isnull', True)), fields=('name',), name='one_live_model_of_a_name_for_all'),
        ),
        migrations.RunPython(place_tokenizers, migrations.RunPython.noop),
    ]
