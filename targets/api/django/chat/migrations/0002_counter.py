from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Counter',
            fields=[
                ('name', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('minute', models.PositiveIntegerField()),
                ('count', models.PositiveIntegerField()),
            ],
        ),
    ]
