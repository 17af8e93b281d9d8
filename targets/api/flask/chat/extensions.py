"""The extensions, made here and bound to an application in create_app()."""

from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

from chat.cache import Cache
from chat.csrf import DoubleSubmit
from chat.database import Base
from chat.language_model import LanguageModel

# Objects stay readable after a commit, which gives their connection back.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
migrate = Migrate()
login_manager = LoginManager()
csrf = DoubleSubmit()
cache = Cache()
model = LanguageModel()
