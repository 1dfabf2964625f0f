from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('datasets', '0010_dataset_aim'),
    ]

    operations = [
        migrations.AddField(
            model_name='rowedit',
            name='record',
            field=models.CharField(blank=True, help_text='A digest of the row as it came.', max_length=16),
        ),
    ]
