import com.mailgun.api.v1.*;
import com.mailgun.api.v2.*;
import com.mailgun.api.v3.MailgunEventsApi;
import com.mailgun.api.v3.MailgunMessagesApi;
import com.mailgun.api.v3.MailgunStoreMessagesApi;
import com.mailgun.api.v4.*;
import com.mailgun.api.v5.MailgunUsersApi;
import com.mailgun.client.MailgunClient;
import com.mailgun.enums.*;
import com.mailgun.model.*;
import com.mailgun.model.bounceclassification.*;
import com.mailgun.model.dkimsecurity.*;
import com.mailgun.model.domainkeys.*;
import com.mailgun.model.domains.*;
import com.mailgun.model.events.*;
import com.mailgun.model.logs.*;
import com.mailgun.model.message.*;
import com.mailgun.model.metrics.*;
import com.mailgun.model.tags.*;
import com.mailgun.model.verification.*;
import com.mailgun.model.webhooks.*;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** The APIs of the SDK that are not version 3, and stored messages. `Flows` runs these after its own. */
final class NewerFlows extends Flows {
    static final String OTHER = "newer.example.com";

    static void run() throws Exception {
        domains();
        domainKeys();
        settings();
        certificates();
        storedMessages();
        reports();
        tags();
        webhooks();
        validation();
        users();
    }

    static void domains() {
        group = "domains, v4";
        MailgunDomainsApi api = api(MailgunDomainsApi.class);
        call("createNewDomain", () -> equal(OTHER, api.createNewDomain(DomainRequest.builder().name(OTHER)
            .webScheme(WebScheme.HTTPS).build()).getDomain().getName()));
        call("verifyDomain", () -> equal(DomainState.ACTIVE, api.verifyDomain(OTHER).getDomain().getState()));
        call("getSingleDomain", () -> equal(OTHER, api.getSingleDomain(OTHER).getDomain().getName()));
        call("updateDomain", () -> equal(OTHER, api.updateDomain(OTHER, DomainUpdateRequest.builder().wildcard(true)
            .spamAction(SpamAction.TAG).webPrefix("links").messageTtl(7200).build()).getDomain().getName()));
        call("getDomainsList", () -> holds(!api.getDomainsList().getItems().isEmpty()));
        call("getDomainsList, filtered", () -> holds(api.getDomainsList(DomainsParametersFilter.builder().search("newer")
            .limit(5).sort("name:asc").state(DomainState.ACTIVE).build()).getItems().size() == 1));
    }

    static void domainKeys() {
        group = "domain keys";
        com.mailgun.api.v1.MailgunDomainKeysApi keys = api(com.mailgun.api.v1.MailgunDomainKeysApi.class);
        com.mailgun.api.v4.MailgunDomainKeysApi ofDomain = api(com.mailgun.api.v4.MailgunDomainKeysApi.class);
        call("createDomainKey", () -> equal("java", keys.createDomainKey(CreateDomainKeyRequest.builder()
            .signingDomain(OTHER).selector("java").bits(2048).build()).getSelector()));
        call("listDomainKeys", () -> holds(keys.listDomainKeys().getItems().size() > 1));
        call("listDomainKeys, filtered", () -> holds(keys.listDomainKeys(DomainKeysListQuery.builder()
            .signing_domain(OTHER).selector("java").limit(1).build()).getItems().size() == 1));
        call("listDomainKeys, v4", () -> holds(ofDomain.listDomainKeys(OTHER).getItems().size() == 2));
        call("activateDomainKey, not in the DNS", () -> refused(400, () -> ofDomain.activateDomainKey(OTHER, "java")));
        call("deactivateDomainKey", () -> holds(!ofDomain.deactivateDomainKey(OTHER, "java").getActive()));
        call("deleteDomainKey", () -> filled(keys.deleteDomainKey(OTHER, "java").getMessage()));
        MailgunDkimSecurityApi security = api(MailgunDkimSecurityApi.class);
        call("updateRotation", () -> equal(OTHER, security.updateRotation(OTHER, DkimRotationUpdateRequest.builder()
            .rotationEnabled(true).rotationInterval("5d").build()).getDomain().getName()));
        call("rotate", () -> filled(security.rotate(OTHER).getMessage()));
    }

    static void settings() {
        group = "domains";
        com.mailgun.api.v3.MailgunDomainsApi api = api(com.mailgun.api.v3.MailgunDomainsApi.class);
        call("updateDomainConnectionSettings", () -> filled(api.updateDomainConnectionSettings(OTHER,
            DomainConnectionRequest.builder().requireTls(true).skipVerification(false).build()).getMessage()));
        call("updateDomainOpenTrackingSettings", () -> holds(api.updateDomainOpenTrackingSettings(OTHER,
            OpenTrackingSettingsRequest.builder().active(true).placeAtTheTop(true).build()).getOpen().getActive()));
        // The SDK's own type cannot read the answer that Mailgun's reference shows: `"active": true`.
        call("updateDomainClickTrackingSettings", () -> holds(
            api.updateDomainClickTrackingSettingsFeignResponse(OTHER, YesNoHtml.HTML_ONLY).status() == 200));
        call("updateDomainUnsubscribeConnectionSettings", () -> filled(api.updateDomainUnsubscribeConnectionSettings(OTHER,
            DomainUnsubscribeConnectionSettingsRequest.builder().active(true).htmlFooter("<p>Bye</p>").textFooter("Bye").build())
            .getMessage()));
        call("updateDkimAuthority", () -> Objects.requireNonNull(
            api.updateDkimAuthority(OTHER, DkimAuthorityRequest.builder().self(true).build()).getChanged()));
        call("updateDkimSelector", () -> filled(
            api.updateDkimSelector(OTHER, DkimSelectorRequest.builder().dkimSelector("k7").build()).getMessage()));
    }

    static void certificates() {
        group = "tracking certificates";
        MailgunTrackingCertificateApi api = api(MailgunTrackingCertificateApi.class);
        String host = "links." + OTHER;
        call("generateCertificate", () -> filled(api.generateCertificate(host).getMessage()));
        call("getCertificateStatus", () -> filled(api.getCertificateStatus(host).getStatus()));
        call("regenerateCertificate, too soon", () -> refused(429, () -> api.regenerateCertificate(host)));
    }

    static void storedMessages() throws Exception {
        group = "stored messages";
        Path file = Files.createTempFile("note", ".txt");
        Files.writeString(file, "Grüße");
        String subject = "Zu lesen: 7 €";
        api(MailgunMessagesApi.class).sendMessage(OTHER, Message.builder().from("Shop <a@" + OTHER + ">").to("b@x.example")
            .subject(subject).text("Hello").tag("java").attachment(file.toFile()).build());
        EventItem accepted = api(MailgunEventsApi.class).getEvents(OTHER,
            EventsQueryOptions.builder().event(EventType.ACCEPTED).build()).getItems().get(0);
        MailgunStoreMessagesApi stored = MailgunClient.config(accepted.getStorage().getUrl(), KEY)
            .createApiWithAbsoluteUrl(MailgunStoreMessagesApi.class);
        call("retrieveMessage", () -> {
            StoreMessageResponse found = stored.retrieveMessage();
            return holds(found.getSubject().equals(subject) && found.getAttachments().get(0).getSize() == 7);
        });
        call("resendMessage", () -> filled(stored.resendMessage("c@x.example").getId()));
    }

    static void reports() {
        Filter onDomain = Filter.builder().and(List.of(FilterItem.builder().attribute("domain").comparator("=")
            .values(List.of(FilterItem.FilterItemValue.builder().label(OTHER).value(OTHER).build())).build())).build();
        group = "metrics";
        MailgunAccountMetricsApi metrics = api(MailgunAccountMetricsApi.class);
        call("getMetrics", () -> {
            MetricsResponse<AccountMetrics> found = metrics.getMetrics(MetricsRequest.builder().duration("1d")
                .resolution(Resolution.HOUR).dimensions(List.of("domain")).filter(onDomain).includeAggregates(true)
                .metrics(List.of("accepted_count", "delivered_count", "delivered_rate")).build());
            return equal(2, found.getItems().get(0).getMetrics().getAcceptedCount());
        });
        call("getUsageMetrics", () -> Objects.requireNonNull(metrics.getUsageMetrics(MetricsRequest.builder().duration("7d")
            .dimensions(List.of("time")).metrics(List.of("processed_count", "email_validation_count")).build()).getItems()));
        group = "logs";
        call("getLogs", () -> holds(api(MailgunLogsApi.class).getLogs(LogsRequest.builder().duration("1d")
            .events(Set.of("accepted")).filter(onDomain).includeTotals(true)
            .pagination(LogsPagination.builder().sort("timestamp:asc").limit(10).build()).build()).getItems().size() == 2));
        group = "bounce classification";
        call("getMetrics", () -> Objects.requireNonNull(api(MailgunBounceClassificationApi.class).getMetrics(
            BounceClassificationRequest.builder().duration("7d").dimensions(List.of("entity-name"))
            .metrics(List.of("critical_bounce_count", "classified_failures_count"))
            .pagination(BounceClassificationPagination.builder().limit(5).build()).build()).getItems()));
    }

    static void tags() {
        group = "analytics tags";
        MailgunAnalyticsTagsApi api = api(MailgunAnalyticsTagsApi.class);
        call("listTags", () -> {
            AnalyticsTagListResponse found = api.listTags(AnalyticsTagListRequest.builder().tag("java").includeMetrics(true)
                .pagination(AnalyticsTagListPagination.builder().sort("lastseen:desc").limit(10).includeTotal(true).build()).build());
            return equal("java", found.getItems().get(0).getTag());
        });
        call("getTagLimits", () -> holds(api.getTagLimits().getCount() > 0));
        call("updateTag", () -> filled(
            api.updateTag(AnalyticsTagUpdateRequest.builder().tag("java").description("By Java").build()).getMessage()));
        call("deleteTag", () -> filled(api.deleteTag(AnalyticsTagDeleteRequest.builder().tag("java").build()).getMessage()));
    }

    static void webhooks() {
        group = "account webhooks";
        MailgunAccountWebhooksApi api = api(MailgunAccountWebhooksApi.class);
        String[] id = new String[1];
        AccountWebhookRequest request = AccountWebhookRequest.builder().description("Java").url("https://x.example/account")
            .eventType("delivered").eventType("opened").build();
        call("createWebhook", () -> filled(id[0] = api.createWebhook(request).getWebhookId()));
        call("getWebhook", () -> holds(api.getWebhook(id[0]).getEventTypes().equals(List.of("delivered", "opened"))));
        call("getAllWebhooks", () -> holds(!api.getAllWebhooks().getWebhooks().isEmpty()));
        call("getAllWebhooks, by ID", () -> equal("Java", api.getAllWebhooks(
            AccountWebhooksListQuery.builder().webhook_ids(id[0]).build()).getWebhooks().get(0).getDescription()));
        call("updateWebhook", () -> holds(api.updateWebhookFeignResponse(id[0], request).status() == 204));
        call("deleteWebhook", () -> { api.deleteWebhook(id[0]); return true; });
        call("deleteWebhooks", () -> {
            String other = api.createWebhook(request).getWebhookId();
            api.deleteWebhooks(AccountWebhooksDeleteQuery.builder().webhook_ids(other).build());
            return refused(404, () -> api.getWebhook(other));
        });
        group = "webhooks, v4";
        MailgunWebhooksApi ofUrl = api(MailgunWebhooksApi.class);
        String url = "https://x.example/all";
        call("createWebhooks", () -> holds(ofUrl.createWebhooks(OTHER, DomainWebhooksV4Request.builder().url(url)
            .eventType("delivered").eventType("clicked").build()).getWebhooks().getClicked().getUrls().contains(url)));
        call("updateWebhooks", () -> holds(ofUrl.updateWebhooks(OTHER, DomainWebhooksV4Request.builder().url(url)
            .eventType("opened").build()).getWebhooks().getOpened().getUrls().contains(url)));
        call("deleteWebhooks", () -> Objects.requireNonNull(ofUrl.deleteWebhooks(OTHER, url)));
    }

    static void validation() throws Exception {
        group = "validation";
        MailgunEmailVerificationApi api = api(MailgunEmailVerificationApi.class);
        call("validateAddress", () -> filled(api.validateAddress("ann@x.example").getResult()));
        call("validateAddress, provider lookup", () -> filled(api.validateAddress("ann@x.example", true).getResult()));
        call("validateAddressPostRequest", () -> filled(api.validateAddressPostRequest("ann@x.example").getRisk()));
        Path file = Files.createTempFile("people", ".csv");
        Files.writeString(file, "email\nann@x.example\n");
        BulkVerificationStatusRequest list = BulkVerificationStatusRequest.builder().file(file.toFile()).build();
        call("createBulkVerificationJob", () -> equal("people", api.createBulkVerificationJob("people", list).getId()));
        call("getBulkVerificationJobList", () -> holds(!api.getBulkVerificationJobList(5).getJobs().isEmpty()));
        call("getBulkVerificationJobStatus", () -> filled(api.getBulkVerificationJobStatus("people").getStatus()));
        // The SDK reads a text, which is not JSON.
        call("cancelBulkVerificationJob", () -> holds(api.cancelBulkVerificationJobFeignResponse("people").status() == 200));
        call("createBulkVerificationPreview", () -> equal("some", api.createBulkVerificationPreview("some", list).getId()));
        call("getBulkVerificationPreviewList", () -> holds(!api.getBulkVerificationPreviewList().getPreviews().isEmpty()));
        call("getBulkVerificationPreviewStatus", () -> filled(
            api.getBulkVerificationPreviewStatus("some").getPreview().getStatus()));
        call("deleteBulkVerificationPreview", () -> holds(api.deleteBulkVerificationPreview("some").status() == 204));
    }

    static void users() {
        group = "users";
        MailgunUsersApi api = api(MailgunUsersApi.class);
        call("getUser", () -> {
            String id = api.getUsers().getUsers().get(0).getId();
            return equal(id, api.getUser(id).getId());
        });
    }
}
