import django.db.models.deletion
from django.db import migrations, models


def give_names(apps, schema_editor):
    apps.get_model("datasets", "Tokenizer").objects.update(name=models.F("key"))


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('datasets', '0004_edit_parts'),
    ]

    operations = [
        migrations.RenameField(model_name='tokenizer', old_name='name', new_name='key'),
        migrations.AlterField(
            model_name='tokenizer',
            name='key',
            field=models.CharField(help_text='`<name>`, or `<workspace id>/<name>`.', max_length=300, primary_key=True, serialize=False),
        ),
        migrations.AddField(
            model_name='tokenizer',
            name='name',
            field=models.CharField(default='', max_length=200),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='tokenizer',
            name='workspace',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace'),
        ),
        migrations.RunPython(give_names, migrations.RunPython.noop),
    ]
