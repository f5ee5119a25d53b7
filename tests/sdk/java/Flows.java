import com.mailgun.api.v3.*;
import com.mailgun.api.v3.suppression.*;
import com.mailgun.api.v5.MailgunUsersApi;
import com.mailgun.client.MailgunClient;
import com.mailgun.enums.*;
import com.mailgun.model.StatisticsOptions;
import com.mailgun.model.domains.*;
import com.mailgun.model.events.*;
import com.mailgun.model.mailing.lists.*;
import com.mailgun.model.message.*;
import com.mailgun.model.routes.*;
import com.mailgun.model.suppression.bounces.*;
import com.mailgun.model.suppression.complaints.*;
import com.mailgun.model.suppression.unsubscribe.*;
import com.mailgun.model.suppression.whitelists.*;
import com.mailgun.model.templates.*;
import com.mailgun.model.webhooks.*;
import feign.FeignException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;

/** Does what Mailgun's SDK for Java offers. Prints one JSON object for each call: its group, its name, what failed. */
public class Flows {
    static final String URL = System.getenv("MAILGUN_URL") + "/";
    static final String KEY = System.getenv("MAILGUN_KEY");
    static final String DOMAIN = "java.example.com";
    static String group;

    public static void main(String[] arguments) throws Exception {
        domains();
        messages();
        events();
        suppressions();
        lists();
        templates();
        routes();
        webhooks();
        statistics();
        users();
        NewerFlows.run();
    }

    static void domains() {
        group = "domains";
        MailgunDomainsApi api = api(MailgunDomainsApi.class);
        call("createNewDomain", () -> equal(DOMAIN,
            api.createNewDomain(DomainRequest.builder().name(DOMAIN).build()).getDomain().getName()));
        call("verifyDomain", () -> equal(DomainState.ACTIVE, api.verifyDomain(DOMAIN).getDomain().getState()));
        call("getDomainsList", () -> holds(!api.getDomainsList().getItems().isEmpty()));
        call("getSingleDomain", () -> equal(DOMAIN, api.getSingleDomain(DOMAIN).getDomain().getName()));
        call("createNewCredentials", () -> filled(
            api.createNewCredentials(DOMAIN, DomainCredentials.builder().login("ann").password("correct-horse").build()).getMessage()));
        call("updateCredentials", () -> filled(api.updateCredentials(DOMAIN, "ann", "battery-staple").getMessage()));
        call("deleteCredentials", () -> filled(api.deleteCredentials(DOMAIN, "ann").getMessage()));
        call("getDomainTrackingSettings", () -> Objects.requireNonNull(api.getDomainTrackingSettings(DOMAIN).getTracking()));
        call("getDomainConnectionSettings", () -> Objects.requireNonNull(api.getDomainConnectionSettings(DOMAIN)));
    }

    static void messages() throws Exception {
        group = "messages";
        MailgunMessagesApi api = api(MailgunMessagesApi.class);
        Path file = Files.createTempFile("note", ".txt");
        Files.writeString(file, "Grüße");
        call("sendMessage", () -> filled(api.sendMessage(DOMAIN, message("Hello").build()).getId()));
        call("sendMessage, everything", () -> filled(api.sendMessage(DOMAIN, message("All")
            .html("<p>Hi</p>").tag(List.of("java", "sdk")).attachment(file.toFile()).replyTo("help@" + DOMAIN)
            .tracking(true).myVar(Map.of("order", "17")).build()).getId()));
        call("sendMessage, batch", () -> filled(api.sendMessage(DOMAIN, Message.builder().from("a@" + DOMAIN)
            .to(List.of("b@x.example", "c@x.example")).subject("Hi %recipient.name%").text("T")
            .recipientVariables(Map.of("b@x.example", Map.of("name", "Bob"), "c@x.example", Map.of("name", "Cy")))
            .build()).getId()));
        call("sendMessage, test mode", () -> filled(api.sendMessage(DOMAIN, message("Test").testMode(true).build()).getId()));
        call("sendMessageAsync", () -> filled(MailgunClient.config(URL, KEY).createAsyncApi(MailgunMessagesApi.class)
            .sendMessageAsync(DOMAIN, message("Later").build()).get().getId()));
        Path mime = Files.createTempFile("mail", ".eml");
        Files.writeString(mime, "From: a@" + DOMAIN + "\r\nTo: b@x.example\r\nSubject: MIME\r\n\r\nHello\r\n");
        call("sendMIMEMessage", () -> filled(api.sendMIMEMessage(DOMAIN,
            MailgunMimeMessage.builder().to("b@x.example").message(mime.toFile()).build()).getId()));
        call("sendMessage, wrong key", () -> refused(401, () -> MailgunClient.config(URL, "wrong")
            .createApi(MailgunMessagesApi.class).sendMessage(DOMAIN, message("No").build())));
        call("sendMessage, unknown domain", () -> refused(404, () -> api.sendMessage("no.example.net", message("No").build())));
        call("getSendingQueues", () -> Objects.requireNonNull(api.getSendingQueues(DOMAIN)));
    }

    static Message.MessageBuilder message(String subject) {
        return Message.builder().from("Shop <a@" + DOMAIN + ">").to("b@x.example").subject(subject).text("Hello");
    }

    static void events() {
        group = "events";
        MailgunEventsApi api = api(MailgunEventsApi.class);
        call("getAllEvents", () -> holds(api.getAllEvents(DOMAIN).getItems().size() > 4));
        call("getEvents", () -> {
            EventsResponse delivered = api.getEvents(DOMAIN, EventsQueryOptions.builder().event(EventType.DELIVERED).limit(2).build());
            return holds(delivered.getItems().size() == 2);
        });
        call("getEvents, next page", () -> {
            EventsResponse first = api.getEvents(DOMAIN, EventsQueryOptions.builder().limit(2).build());
            String next = first.getPaging().getNext();
            EventsResponse second = api.getEvents(DOMAIN, next.substring(next.lastIndexOf('/') + 1));
            return holds(!second.getItems().get(0).getId().equals(first.getItems().get(0).getId()));
        });
        group = "tags";
        MailgunTagsApi tags = api(MailgunTagsApi.class);
        call("getAllTags", () -> holds(tags.getAllTags(DOMAIN).getItems().size() == 2));
        call("getTag", () -> equal("java", tags.getTag(DOMAIN, "java").getTag()));
        call("getTagLimits", () -> Objects.requireNonNull(tags.getTagLimits(DOMAIN)));
        call("listTagCountries", () -> Objects.requireNonNull(tags.listTagCountries(DOMAIN, "java")));
        call("listTagProviders", () -> Objects.requireNonNull(tags.listTagProviders(DOMAIN, "java")));
        call("listTagDevices", () -> Objects.requireNonNull(tags.listTagDevices(DOMAIN, "java")));
        call("deleteTag", () -> filled(tags.deleteTag(DOMAIN, "sdk").getMessage()));
    }

    static void suppressions() {
        group = "bounces";
        MailgunSuppressionBouncesApi bounces = api(MailgunSuppressionBouncesApi.class);
        call("addBounce", () -> filled(bounces.addBounce(DOMAIN, bounce("b1@x.example")).getMessage()));
        call("addBounces", () -> filled(bounces.addBounces(DOMAIN, List.of(bounce("b2@x.example"), bounce("b3@x.example"))).getMessage()));
        call("getBounces", () -> holds(bounces.getBounces(DOMAIN).getItems().size() == 3));
        call("getBounce", () -> equal("b1@x.example", bounces.getBounce(DOMAIN, "b1@x.example").getAddress()));
        call("deleteBounce", () -> filled(bounces.deleteBounce(DOMAIN, "b1@x.example").getMessage()));
        call("getBounce, missing", () -> refused(404, () -> bounces.getBounce(DOMAIN, "b1@x.example")));
        call("deleteAllBounces", () -> filled(bounces.deleteAllBounces(DOMAIN).getMessage()));
        group = "unsubscribes";
        MailgunSuppressionUnsubscribeApi unsubscribes = api(MailgunSuppressionUnsubscribeApi.class);
        call("addAddressToUnsubscribeTable", () -> filled(unsubscribes.addAddressToUnsubscribeTable(DOMAIN,
            UnsubscribeSingleItemRequest.builder().address("u@x.example").tag("java").build()).getMessage()));
        call("getAllUnsubscribe", () -> holds(unsubscribes.getAllUnsubscribe(DOMAIN).getItems().size() == 1));
        call("getSingleUnsubscribe", () -> equal("u@x.example", unsubscribes.getSingleUnsubscribe(DOMAIN, "u@x.example").getAddress()));
        call("removeAddressFromUnsubscribeList", () -> filled(
            unsubscribes.removeAddressFromUnsubscribeList(DOMAIN, "u@x.example").getMessage()));
        group = "complaints";
        MailgunSuppressionComplaintsApi complaints = api(MailgunSuppressionComplaintsApi.class);
        call("addAddressToComplaintsList", () -> filled(complaints.addAddressToComplaintsList(DOMAIN,
            ComplaintsSingleItemRequest.builder().address("c@x.example").build()).getMessage()));
        call("getAllComplaints", () -> holds(complaints.getAllComplaints(DOMAIN).getItems().size() == 1));
        call("getSingleComplaint", () -> equal("c@x.example", complaints.getSingleComplaint(DOMAIN, "c@x.example").getAddress()));
        call("removeAddressFromComplaints", () -> filled(complaints.removeAddressFromComplaints(DOMAIN, "c@x.example").getMessage()));
        group = "allowlist";
        MailgunSuppressionWhitelistsApi allowlist = api(MailgunSuppressionWhitelistsApi.class);
        call("addSingleWhitelistRecord", () -> filled(allowlist.addSingleWhitelistRecord(DOMAIN,
            WhitelistsRequest.builder().address("w@x.example").reason("a friend").build()).getMessage()));
        call("getAllWhitelists", () -> holds(allowlist.getAllWhitelists(DOMAIN).getItems().size() == 1));
        call("getSingleWhitelistRecord", () -> equal("w@x.example", allowlist.getSingleWhitelistRecord(DOMAIN, "w@x.example").getValue()));
        call("removeRecordFromWhitelists", () -> filled(allowlist.removeRecordFromWhitelists(DOMAIN, "w@x.example").getMessage()));
    }

    static BouncesRequest bounce(String address) {
        return BouncesRequest.builder().address(address).code("550").error("no such user").build();
    }

    static void lists() {
        group = "lists";
        MailgunMailingListApi api = api(MailgunMailingListApi.class);
        String list = "news@" + DOMAIN;
        call("createMailingList", () -> equal(list, api.createMailingList(
            MailingListRequest.builder().address(list).name("News").accessLevel(AccessLevel.READ_ONLY).build()).getList().getAddress()));
        call("getMailingList", () -> holds(!api.getMailingList().getItems().isEmpty()));
        call("getMailingListByAddress", () -> equal(list, api.getMailingListByAddress(list).getList().getAddress()));
        call("addMemberToMailingList", () -> equal("m@x.example", api.addMemberToMailingList(list, MailingListNewMemberRequest.builder()
            .address("m@x.example").name("M").vars(Map.of("age", 7)).subscribed(true).build()).getMember().getAddress()));
        call("getMailingListMembers", () -> holds(api.getMailingListMembers(list).getItems().size() == 1));
        call("getMailingListMember", () -> equal("M", api.getMailingListMember(list, "m@x.example").getMember().getName()));
        call("deleteMemberFromMailingList", () -> equal("m@x.example",
            api.deleteMemberFromMailingList(list, "m@x.example").getMember().getAddress()));
        call("deleteMailingList", () -> equal(list, api.deleteMailingList(list).getAddress()));
    }

    static void templates() {
        group = "templates";
        MailgunTemplatesApi api = api(MailgunTemplatesApi.class);
        call("storeNewTemplate", () -> equal("welcome", api.storeNewTemplate(DOMAIN, TemplateRequest.builder().name("welcome")
            .description("First").template("<p>Hi {{name}}</p>").tag("v1").build()).getTemplate().getName()));
        call("createNewTemplateVersion", () -> filled(api.createNewTemplateVersion(DOMAIN, "welcome",
            TemplateVersionRequest.builder().template("<p>Hello {{name}}</p>").tag("v2").active(true).build()).getMessage()));
        call("getAllTemplates", () -> holds(api.getAllTemplates(DOMAIN).getItems().size() == 1));
        call("getTemplate", () -> equal("welcome", api.getTemplate(DOMAIN, "welcome").getTemplate().getName()));
        call("getActiveTemplateVersionContent", () -> equal("v2",
            api.getActiveTemplateVersionContent(DOMAIN, "welcome").getTemplate().getVersion().getTag()));
        call("getSpecifiedVersionTemplateContent", () -> equal("<p>Hi {{name}}</p>",
            api.getSpecifiedVersionTemplateContent(DOMAIN, "welcome", "v1").getTemplate().getVersion().getTemplate()));
        call("getAllTemplateVersions", () -> holds(
            api.getAllTemplateVersions(DOMAIN, "welcome").getTemplate().getVersions().size() == 2));
        call("updateTemplate", () -> filled(api.updateTemplate(DOMAIN, "welcome", "Second").getMessage()));
        call("deleteSpecificTemplateVersion", () -> filled(api.deleteSpecificTemplateVersion(DOMAIN, "welcome", "v1").getMessage()));
        call("deleteTemplate", () -> filled(api.deleteTemplate(DOMAIN, "welcome").getMessage()));
    }

    static void routes() {
        group = "routes";
        MailgunRoutesApi api = api(MailgunRoutesApi.class);
        String[] id = new String[1];
        RoutesRequest request = RoutesRequest.builder().priority(1).description("Java").expression("match_recipient(\"java@" + DOMAIN + "\")")
            .action("store()").action("stop()").build();
        call("createRoute", () -> filled(id[0] = api.createRoute(request).getRoute().getId()));
        call("getRoutesList", () -> holds(!api.getRoutesList().getItems().isEmpty()));
        call("getSingleRoute", () -> equal("Java", api.getSingleRoute(id[0]).getRoute().getDescription()));
        call("updateRoute", () -> equal(id[0], api.updateRoute(id[0], request).getId()));
        call("matchRoute", () -> equal(id[0],
            api.matchRoute(RoutesMatchRequest.builder().address("java@" + DOMAIN).build()).getRoute().getId()));
        call("deleteRoute", () -> filled(api.deleteRoute(id[0]).getMessage()));
    }

    static void webhooks() {
        group = "webhooks";
        MailgunWebhooksApi api = api(MailgunWebhooksApi.class);
        call("createNewWebhook", () -> filled(api.createNewWebhook(DOMAIN,
            WebhookRequest.builder().webhookName(WebhookName.DELIVERED).url("https://x.example/1").build()).getMessage()));
        call("getAllWebhooks", () -> Objects.requireNonNull(api.getAllWebhooks(DOMAIN)));
        call("getWebhookDetails", () -> holds(
            api.getWebhookDetails(DOMAIN, WebhookName.DELIVERED).getWebhook().getUrls().contains("https://x.example/1")));
        call("updateWebhook", () -> filled(api.updateWebhook(DOMAIN, WebhookName.DELIVERED,
            WebhookUpdateRequest.builder().url("https://x.example/2").build()).getMessage()));
        call("deleteWebhook", () -> filled(api.deleteWebhook(DOMAIN, WebhookName.DELIVERED).getMessage()));
    }

    static void statistics() {
        group = "statistics";
        MailgunStatisticsApi api = api(MailgunStatisticsApi.class);
        StatisticsOptions options = StatisticsOptions.builder().event(List.of(StatsEventType.ACCEPTED, StatsEventType.DELIVERED)).build();
        call("getDomainStats", () -> holds(!api.getDomainStats(DOMAIN, options).getStats().isEmpty()));
        call("getAccountStats", () -> holds(!api.getAccountStats(options).getStats().isEmpty()));
        call("getAggregateProviders", () -> Objects.requireNonNull(api.getAggregateProviders(DOMAIN)));
        call("getAggregateDevices", () -> Objects.requireNonNull(api.getAggregateDevices(DOMAIN)));
        call("getAggregateCountries", () -> Objects.requireNonNull(api.getAggregateCountries(DOMAIN)));
        group = "ips";
        MailgunIPsApi ips = api(MailgunIPsApi.class);
        call("getAllIPs", () -> holds(!ips.getAllIPs().getItems().isEmpty()));
        call("getDomainIPs", () -> holds(!ips.getDomainIPs(DOMAIN).getItems().isEmpty()));
        call("getSpecifiedIP", () -> filled(ips.getSpecifiedIP(ips.getAllIPs().getItems().get(0)).getIp()));
    }

    static void users() {
        group = "users";
        MailgunUsersApi api = api(MailgunUsersApi.class);
        call("getAllUsers", () -> holds(!api.getUsers().getUsers().isEmpty()));
    }

    static <T extends com.mailgun.api.MailgunApi> T api(Class<T> type) {
        return MailgunClient.config(URL, KEY).createApi(type);
    }

    static void call(String name, Callable<?> tried) {
        String failed = null;
        try {
            tried.call();
        } catch (Throwable error) {
            failed = error.toString();
        }
        System.out.println("{\"group\": " + text(group) + ", \"call\": " + text(name) + ", \"failed\": "
            + (failed == null ? "null" : text(failed)) + "}");
    }

    static String text(String value) {
        return '"' + value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n").replace("\r", "").replace("\t", " ") + '"';
    }

    static Object equal(Object expected, Object found) {
        String name = found instanceof Enum || expected instanceof Enum ? String.valueOf(found).toUpperCase() : String.valueOf(found);
        String wanted = expected instanceof Enum ? expected.toString().toUpperCase() : String.valueOf(expected);
        return holds(wanted.equals(name), "found " + found + " instead of " + expected);
    }

    static Object filled(String found) {
        return holds(found != null && !found.isEmpty(), "found nothing");
    }

    static Object holds(boolean condition) {
        return holds(condition, "the answer is not as expected");
    }

    static Object holds(boolean condition, String otherwise) {
        if (!condition) {
            throw new IllegalStateException(otherwise);
        }
        return true;
    }

    static Object refused(int status, Callable<?> tried) throws Exception {
        try {
            tried.call();
        } catch (FeignException error) {
            return holds(error.status() == status, "the status is " + error.status());
        }
        throw new IllegalStateException("it was not refused");
    }
}
