"""Conversations and messages: everything but sending one, which streaming.py does."""

from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework import mixins, viewsets
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import cache, roles, serializers
from chat.models import Conversation, Message


def readable(user: User, id: Any) -> Conversation:
    """Return a conversation the user may read: one's own, or anybody's with the permission.

    Raises:
        NotFound: there is none.
    """
    conversation = Conversation.objects.filter(pk=id).first()
    if conversation is None or (conversation.owner_id != user.pk and not user.has_perm(roles.READ_ANY)):
        raise NotFound("There is no such conversation.")
    return conversation


class Conversations(mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet):
    """A user's conversations."""

    serializer_class = serializers.ConversationView
    lookup_field = "id"
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Conversation]:
        """Return one's own, the last updated first."""
        return Conversation.objects.filter(owner=self.request.user)

    def filter_queryset(self, queryset: QuerySet[Conversation]) -> QuerySet[Conversation]:
        """Keep those whose title contains the search text."""
        query = serializers.ListQuery(data=self.request.query_params.dict())
        query.is_valid(raise_exception=True)
        search = query.validated_data["search"]
        return queryset.filter(title__icontains=search) if search and self.action == "list" else queryset

    def create(self, request: Request) -> Response:
        """Begin a conversation; a body is not needed."""
        given = serializers.NewConversation(data=request.data)
        given.is_valid(raise_exception=True)
        conversation = Conversation.objects.create(owner=request.user, **given.validated_data)
        return Response(self.get_serializer(conversation).data, status=201)

    def retrieve(self, request: Request, id: Any) -> Response:
        """Show one."""
        return Response(self.get_serializer(readable(request.user, id)).data)

    def partial_update(self, request: Request, id: Any) -> Response:
        """Rename one; that does not count as an update of its messages."""
        conversation = self.get_object()
        given = serializers.Rename(data=request.data)
        given.is_valid(raise_exception=True)
        conversation.title = given.validated_data["title"]
        conversation.save(update_fields=["title"])
        return Response(self.get_serializer(conversation).data)

    def perform_destroy(self, instance: Conversation) -> None:
        """Delete it with its messages and what is remembered of it."""
        cache.forget(instance.pk)
        instance.delete()

    def export(self, request: Request, id: Any) -> HttpResponse:
        """Download one as JSON or Markdown."""
        query = serializers.ExportQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        conversation = self.get_object()
        messages = [serializers.message_data(message) for message in conversation.messages.all()]
        name = f"conversation-{conversation.pk}"
        if query.validated_data["format"] == "json":
            document = {**self.get_serializer(conversation).data, "messages": messages}
            return Response(document, headers={"Content-Disposition": f'attachment; filename="{name}.json"'})
        return HttpResponse(
            as_markdown(conversation.title, messages),
            content_type="text/markdown; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}.md"'},
        )


class MessageList(viewsets.ViewSet):
    """The messages of a conversation."""

    def list(self, request: Request, id: Any) -> Response:
        """Show all, oldest first; hidden text only to those who may hide."""
        messages = list(readable(request.user, id).messages.all())
        reveal = any(message.hidden for message in messages) and request.user.has_perm(roles.HIDE)
        return Response({"results": [serializers.message_data(message, reveal=reveal) for message in messages]})


class Feedback(APIView):
    """What users think of the answers they got."""

    def put(self, request: Request, id: Any) -> Response:
        """Rate an answer in one's own conversation, or take the rating back."""
        answer = answer_among(Message.objects.filter(conversation__owner=request.user), id)
        change = serializers.FeedbackChange(data=request.data)
        change.is_valid(raise_exception=True)
        answer.feedback = change.validated_data["value"]
        answer.save(update_fields=["feedback"])
        reveal = answer.hidden and request.user.has_perm(roles.HIDE)
        return Response(serializers.message_data(answer, reveal=reveal))


class Hide(APIView):
    """What moderators do with anybody's answers."""

    permission_classes = (IsAuthenticated, roles.MayHide)

    def post(self, request: Request, id: Any) -> Response:
        """Hide or show an answer; the model is not reminded of a hidden one."""
        answer = answer_among(Message.objects.all(), id)
        change = serializers.HideChange(data=request.data)
        change.is_valid(raise_exception=True)
        answer.hidden = change.validated_data["hidden"]
        answer.save(update_fields=["hidden"])
        cache.forget(answer.conversation_id)
        return Response(serializers.message_data(answer, reveal=True))


def answer_among(messages: QuerySet[Message], id: Any) -> Message:
    """Return the answer of this id.

    Raises:
        NotFound: there is none among these messages; ValidationError: it is a user's message.
    """
    message = messages.filter(pk=id).first()
    if message is None:
        raise NotFound("There is no such message.")
    if message.role != Message.Role.ASSISTANT:
        raise ValidationError("Only answers are rated or hidden.")
    return message


def as_markdown(title: str, messages: list[dict[str, Any]]) -> str:
    """Return a conversation as a Markdown text."""
    parts = [f"# {title or 'Untitled'}"]
    for message in messages:
        text = "*hidden by a moderator*" if message["hidden"] else message["content"]
        parts.append(f"## {message['role']}, {message['created_at']}\n\n{text}")
    return "\n\n".join(parts) + "\n"
