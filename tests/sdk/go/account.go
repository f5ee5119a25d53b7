package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/mailgun/mailgun-go/v5"
	"github.com/mailgun/mailgun-go/v5/mtypes"
)

func domains(g *group) {
	name := "life." + g.domain
	g.try("CreateDomain", func() error {
		made, err := g.mg.CreateDomain(g.ctx, name, &mailgun.CreateDomainOptions{
			SpamAction: mtypes.SpamActionTag, Wildcard: true, Password: "super_secret", WebScheme: "https", DKIMKeySize: 2048,
		})
		return errors.Join(err, equal(made.Domain.State, "unverified"), equal(made.Domain.Wildcard, true))
	})
	g.try("ListDomains", func() error {
		items, err := all[mtypes.Domain](g.ctx, g.mg.ListDomains(&mailgun.ListDomainsOptions{Limit: 3}))
		found := slices.Contains(fields(items, func(item mtypes.Domain) string { return item.Name }), name)
		return errors.Join(err, equal(found, true))
	})
	g.try("VerifyDomain", func() error {
		verified, err := g.mg.VerifyDomain(g.ctx, name)
		return errors.Join(err, equal(verified.Domain.State, "active"))
	})
	g.try("VerifyAndReturnDomain", func() error {
		verified, err := g.mg.VerifyAndReturnDomain(g.ctx, name)
		return errors.Join(err, equal(verified.SendingDNSRecords[0].Valid, "valid"))
	})
	g.try("UpdateDomain", func() error {
		yes := true
		return g.mg.UpdateDomain(g.ctx, name, &mailgun.UpdateDomainOptions{WebPrefix: "links", RequireTLS: &yes})
	})
	g.try("GetDomain", func() error {
		got, err := g.mg.GetDomain(g.ctx, name, nil)
		return errors.Join(err, equal(got.Domain.RequireTLS, true), equal(got.Domain.WebPrefix, "links"))
	})
	g.try("UpdateDomainConnection", func() error {
		return g.mg.UpdateDomainConnection(g.ctx, name, mtypes.DomainConnection{SkipVerification: true})
	})
	g.try("GetDomainConnection", func() error {
		got, err := g.mg.GetDomainConnection(g.ctx, name)
		return errors.Join(err, equal(got, mtypes.DomainConnection{SkipVerification: true}))
	})
	g.try("UpdateClickTracking", func() error { return g.mg.UpdateClickTracking(g.ctx, name, "yes") })
	g.try("UpdateOpenTracking", func() error { return g.mg.UpdateOpenTracking(g.ctx, name, "yes") })
	g.try("UpdateUnsubscribeTracking", func() error {
		return g.mg.UpdateUnsubscribeTracking(g.ctx, name, "yes", "<p>bye</p>", "bye")
	})
	g.try("GetDomainTracking", func() error {
		got, err := g.mg.GetDomainTracking(g.ctx, name)
		return errors.Join(err, equal(got.Click.Active, true), equal(got.Unsubscribe.TextFooter, "bye"))
	})
	g.try("UpdateDomainDkimSelector", func() error { return g.mg.UpdateDomainDkimSelector(g.ctx, name, "second") })
	g.try("DeleteDomain", func() error {
		if err := g.mg.DeleteDomain(g.ctx, name); err != nil {
			return err
		}
		_, err := g.mg.GetDomain(g.ctx, name, nil)
		return status(err, 404)
	})
}

func credentials(g *group) {
	login := "alice@" + g.domain
	g.try("CreateCredential", func() error { return g.mg.CreateCredential(g.ctx, g.domain, login, "correct-horse") })
	g.try("ListCredentials", func() error {
		items, err := all[mtypes.Credential](g.ctx, g.mg.ListCredentials(g.domain, &mailgun.ListOptions{Limit: 1}))
		found := slices.Contains(fields(items, func(item mtypes.Credential) string { return item.Login }), login)
		return errors.Join(err, equal(found, true))
	})
	g.try("ChangeCredentialPassword", func() error {
		return g.mg.ChangeCredentialPassword(g.ctx, g.domain, "alice", "battery-staple")
	})
	g.try("DeleteCredential", func() error { return g.mg.DeleteCredential(g.ctx, g.domain, "alice") })
}

func lists(g *group) {
	address, member := "people@"+g.domain, "kim+x@x.example"
	g.try("CreateMailingList", func() error {
		// The SDK reads the list at the top of the answer. Mailgun wraps it, so what it returns is empty.
		_, err := g.mg.CreateMailingList(g.ctx, mtypes.MailingList{
			Address: address, Name: "People", AccessLevel: mtypes.AccessLevelMembers,
		})
		return err
	})
	g.try("UpdateMailingList", func() error {
		_, err := g.mg.UpdateMailingList(g.ctx, address, mtypes.MailingList{
			Description: "all", ReplyPreference: mtypes.ReplyPreferenceSender,
		})
		return err
	})
	g.try("GetMailingList", func() error {
		got, err := g.mg.GetMailingList(g.ctx, address)
		return errors.Join(
			err, equal(got.Name, "People"), equal(got.Description, "all"), equal(got.AccessLevel, mtypes.AccessLevelMembers),
		)
	})
	g.try("ListMailingLists", func() error {
		items, err := all[mtypes.MailingList](g.ctx, g.mg.ListMailingLists(&mailgun.ListOptions{Limit: 1}))
		found := slices.Contains(fields(items, func(item mtypes.MailingList) string { return item.Address }), address)
		return errors.Join(err, equal(found, true))
	})
	g.try("CreateMember", func() error {
		return g.mg.CreateMember(g.ctx, true, address, mtypes.Member{
			Address: member, Name: "Kim", Subscribed: mtypes.Subscribed, Vars: map[string]any{"age": 26},
		})
	})
	g.try("CreateMember without variables", func() error {
		return g.mg.CreateMember(g.ctx, true, address, mtypes.Member{Address: "bare@x.example"})
	})
	g.try("CreateMemberList", func() error {
		return g.mg.CreateMemberList(g.ctx, nil, address, []any{
			mtypes.Member{Address: "Lee <lee@x.example>", Subscribed: mtypes.Unsubscribed}, "max@x.example",
		})
	})
	g.try("ListMembers", func() error {
		items, err := all[mtypes.Member](g.ctx, g.mg.ListMembers(address, &mailgun.ListOptions{Limit: 2}))
		addresses := fields(items, func(item mtypes.Member) string { return item.Address })
		return errors.Join(err, equal(addresses, []string{"bare@x.example", member, "lee@x.example", "max@x.example"}))
	})
	g.try("UpdateMember", func() error {
		changed, err := g.mg.UpdateMember(g.ctx, member, address, mtypes.Member{Name: "Kim Ray", Subscribed: mtypes.Unsubscribed})
		return errors.Join(err, equal(changed.Name, "Kim Ray"), equal(*changed.Subscribed, false))
	})
	g.try("GetMember", func() error {
		got, err := g.mg.GetMember(g.ctx, member, address)
		return errors.Join(err, equal(got.Vars, map[string]any{"age": 26.0}))
	})
	g.try("DeleteMember", func() error { return g.mg.DeleteMember(g.ctx, member, address) })
	g.try("DeleteMailingList", func() error {
		if err := g.mg.DeleteMailingList(g.ctx, address); err != nil {
			return err
		}
		_, err := g.mg.GetMailingList(g.ctx, address)
		return status(err, 404)
	})
}

func templates(g *group) {
	g.try("CreateTemplate", func() error {
		template := &mtypes.Template{
			Name: "hello", Description: "d",
			Version: mtypes.TemplateVersion{Template: "{{a}}", Tag: "v1", Engine: mtypes.TemplateEngineHandlebars, Comment: "first"},
		}
		return errors.Join(g.mg.CreateTemplate(g.ctx, g.domain, template), equal(template.Version.Tag, "v1"))
	})
	g.try("GetTemplate", func() error {
		got, err := g.mg.GetTemplate(g.ctx, g.domain, "hello")
		return errors.Join(err, equal(got.Version.Template, "{{a}}"), equal(got.Description, "d"))
	})
	g.try("UpdateTemplate", func() error {
		return g.mg.UpdateTemplate(g.ctx, g.domain, &mtypes.Template{Name: "hello", Description: "changed"})
	})
	g.try("AddTemplateVersion", func() error {
		version := &mtypes.TemplateVersion{Tag: "v2", Template: "{{b}}", Engine: mtypes.TemplateEngineHandlebars, Active: true}
		return g.mg.AddTemplateVersion(g.ctx, g.domain, "hello", version)
	})
	g.try("UpdateTemplateVersion", func() error {
		return g.mg.UpdateTemplateVersion(g.ctx, g.domain, "hello", &mtypes.TemplateVersion{Tag: "v2", Comment: "second", Active: true})
	})
	g.try("GetTemplateVersion", func() error {
		got, err := g.mg.GetTemplateVersion(g.ctx, g.domain, "hello", "v2")
		return errors.Join(err, equal(got.Comment, "second"), equal(got.Active, true))
	})
	g.try("ListTemplateVersions", func() error {
		items, err := all[mtypes.TemplateVersion](g.ctx, g.mg.ListTemplateVersions(g.domain, "hello", &mailgun.ListOptions{Limit: 1}))
		return errors.Join(err, equal(len(items), 2))
	})
	g.try("ListTemplates", func() error {
		items, err := all[mtypes.Template](g.ctx, g.mg.ListTemplates(g.domain, &mailgun.ListTemplateOptions{Limit: 1, Active: true}))
		return errors.Join(err, equal(fields(items, func(item mtypes.Template) string { return item.Description }), []string{"changed"}))
	})
	g.try("DeleteTemplateVersion", func() error { return g.mg.DeleteTemplateVersion(g.ctx, g.domain, "hello", "v1") })
	g.try("DeleteTemplate", func() error {
		if err := g.mg.DeleteTemplate(g.ctx, g.domain, "hello"); err != nil {
			return err
		}
		_, err := g.mg.GetTemplate(g.ctx, g.domain, "hello")
		return status(err, 404)
	})
}

// sendTagged sends a mail to two people with a tag.
func (g *group) sendTagged(tag string) {
	message := mailgun.NewMessage(g.domain, from, "Hello", "Hi", "kim@example.com", "bounce@example.com")
	if err := message.AddTag(tag); err != nil {
		panic(err)
	}
	if _, err := g.mg.Send(g.ctx, message); err != nil {
		panic(err)
	}
}

func tags(g *group) {
	g.sendTagged("autumn")
	g.sendTagged("winter")
	g.try("ListTags", func() error {
		// The SDK reads no second page: it takes any `tag` in the URL of the next page for the end.
		items, err := all[mtypes.Tag](g.ctx, g.mg.ListTags(g.domain, &mailgun.ListTagOptions{Limit: 10}))
		return errors.Join(err, equal(fields(items, func(item mtypes.Tag) string { return item.Value }), []string{"autumn", "winter"}))
	})
	g.try("GetTag", func() error {
		tag, err := g.mg.GetTag(g.ctx, g.domain, "autumn")
		return errors.Join(err, equal(tag.Value, "autumn"), equal(tag.FirstSeen != nil, true))
	})
	g.try("GetTagLimits", func() error {
		limits, err := g.mg.GetTagLimits(g.ctx, g.domain)
		return errors.Join(err, equal(limits.Count, 2))
	})
	g.try("DeleteTag", func() error { return g.mg.DeleteTag(g.ctx, g.domain, "autumn") })
}

func metrics(g *group) {
	g.sendTagged("counted")
	g.try("ListMetrics", func() error {
		options := mailgun.MetricsOptions{
			Dimensions: []string{"tag"},
			Metrics:    []string{"accepted_count", "delivered_count", "permanent_failed_count", "delivered_rate"},
			Start:      mtypes.RFC2822Time(time.Now().Add(-time.Hour)),
			End:        mtypes.RFC2822Time(time.Now().Add(time.Hour)),
			Filter: mtypes.MetricsFilterPredicateGroup{BoolGroupAnd: []mtypes.MetricsFilterPredicate{{
				Attribute: "domain", Comparator: "=",
				LabeledValues: []mtypes.MetricsLabeledValue{{Label: g.domain, Value: g.domain}},
			}}},
		}
		it, err := g.mg.ListMetrics(options)
		if err != nil {
			return err
		}
		var page mtypes.MetricsResponse
		it.Next(g.ctx, &page)
		if it.Err() != nil || len(page.Items) != 1 {
			return fmt.Errorf("%d items: %v", len(page.Items), it.Err())
		}
		got := page.Items[0].Metrics
		return errors.Join(
			equal(*got.AcceptedCount, uint64(2)), equal(*got.DeliveredCount, uint64(1)), equal(*got.PermanentFailedCount, uint64(1)),
		)
	})
	g.try("ListMetrics without a filter", func() error {
		it, err := g.mg.ListMetrics(mailgun.MetricsOptions{Dimensions: []string{"time"}, Metrics: []string{"accepted_count"}})
		if err != nil {
			return err
		}
		var page mtypes.MetricsResponse
		it.Next(g.ctx, &page)
		return it.Err()
	})
}

func ips(g *group) {
	var address string
	g.try("ListIPs", func() error {
		items, err := g.mg.ListIPs(g.ctx, true, false)
		if err != nil || len(items) == 0 {
			return fmt.Errorf("no dedicated IP: %v", err)
		}
		address = items[slices.IndexFunc(items, func(item mtypes.IPAddress) bool { return item.AssignableToPools })].IP
		return nil
	})
	g.try("GetIP", func() error {
		ip, err := g.mg.GetIP(g.ctx, address)
		return errors.Join(err, equal(ip.IP, address), equal(ip.Dedicated, true))
	})
	g.try("AddDomainIP", func() error { return g.mg.AddDomainIP(g.ctx, g.domain, address) })
	g.try("ListDomainIPs", func() error {
		items, err := g.mg.ListDomainIPs(g.ctx, g.domain)
		found := slices.Contains(fields(items, func(item mtypes.IPAddress) string { return item.IP }), address)
		return errors.Join(err, equal(found, true))
	})
	g.try("ListIPDomains", func() error {
		items, err := all[mtypes.DomainIPs](g.ctx, g.mg.ListIPDomains(address, &mailgun.ListIPDomainOptions{Limit: 1}))
		found := slices.Contains(fields(items, func(item mtypes.DomainIPs) string { return item.Domain }), g.domain)
		return errors.Join(err, equal(found, true))
	})
	g.try("DeleteDomainIP", func() error { return g.mg.DeleteDomainIP(g.ctx, g.domain, address) })
	g.try("CreateIPWarmup", func() error { return g.mg.CreateIPWarmup(g.ctx, address) })
	g.try("ListIPWarmups", func() error {
		items, err := all[mtypes.IPWarmup](g.ctx, g.mg.ListIPWarmups())
		found := slices.Contains(fields(items, func(item mtypes.IPWarmup) string { return item.IP }), address)
		return errors.Join(err, equal(found, true))
	})
	g.try("GetIPWarmup", func() error {
		got, err := g.mg.GetIPWarmup(g.ctx, address)
		return errors.Join(err, equal(got.TotalStages > 1, true))
	})
	g.try("DeleteIPWarmup", func() error { return g.mg.DeleteIPWarmup(g.ctx, address) })
}

func subaccounts(g *group) {
	var id string
	g.try("CreateSubaccount", func() error {
		made, err := g.mg.CreateSubaccount(g.ctx, "go child")
		id = made.Item.ID
		return errors.Join(err, equal(made.Item.Name, "go child"))
	})
	g.try("GetSubaccount", func() error {
		got, err := g.mg.GetSubaccount(g.ctx, id)
		return errors.Join(err, equal(got.Item.Status, "open"))
	})
	g.try("ListSubaccounts", func() error {
		options := &mailgun.ListSubaccountsOptions{Limit: 1, SortArray: "asc", Enabled: true}
		items, err := all[mtypes.Subaccount](g.ctx, g.mg.ListSubaccounts(options))
		found := slices.Contains(fields(items, func(item mtypes.Subaccount) string { return item.ID }), id)
		return errors.Join(err, equal(found, true))
	})
	g.try("SetOnBehalfOfSubaccount", func() error {
		// The SDK sends the header with messages only.
		g.mg.SetOnBehalfOfSubaccount(id)
		_, err := g.mg.Send(g.ctx, mailgun.NewMessage(g.domain, from, "Hello", "Hi", "kim@example.com"))
		return status(err, 404)
	})
	g.try("RemoveOnBehalfOfSubaccount", func() error {
		g.mg.RemoveOnBehalfOfSubaccount()
		_, err := g.mg.Send(g.ctx, mailgun.NewMessage(g.domain, from, "Hello", "Hi", "kim@example.com"))
		return err
	})
	g.try("DisableSubaccount", func() error {
		got, err := g.mg.DisableSubaccount(g.ctx, id)
		return errors.Join(err, equal(got.Item.Status, "disabled"))
	})
	g.try("EnableSubaccount", func() error {
		got, err := g.mg.EnableSubaccount(g.ctx, id)
		return errors.Join(err, equal(got.Item.Status, "open"))
	})
}

func keys(g *group) {
	var made mtypes.APIKey
	g.try("CreateAPIKey", func() (err error) {
		made, err = g.mg.CreateAPIKey(g.ctx, "admin", &mailgun.CreateAPIKeyOptions{Description: "go", Kind: "user"})
		if err != nil {
			return err
		}
		_, err = client(made.Secret).GetDomain(g.ctx, g.domain, nil)
		return err
	})
	g.try("ListAPIKeys", func() error {
		items, err := g.mg.ListAPIKeys(g.ctx, &mailgun.ListAPIKeysOptions{Kind: "user"})
		found := slices.Contains(fields(items, func(item mtypes.APIKey) string { return item.ID }), made.ID)
		return errors.Join(err, equal(found, true))
	})
	g.try("DeleteAPIKey", func() error {
		if err := g.mg.DeleteAPIKey(g.ctx, made.ID); err != nil {
			return err
		}
		_, err := client(made.Secret).GetDomain(g.ctx, g.domain, nil)
		return status(err, 401)
	})
	g.try("RegeneratePublicAPIKey", func() error {
		got, err := g.mg.RegeneratePublicAPIKey(g.ctx)
		return errors.Join(err, equal(got.Key[:7], "pubkey-"))
	})
}

func exports(g *group) {
	var id string
	g.try("CreateExport", func() error { return g.mg.CreateExport(g.ctx, "/v3/domains") })
	g.try("ListExports", func() error {
		items, err := g.mg.ListExports(g.ctx, "/v3/domains")
		if err != nil || len(items) != 1 {
			return fmt.Errorf("%d exports: %v", len(items), err)
		}
		id = items[0].ID
		return equal(items[0].URL, "/v3/domains")
	})
	g.try("GetExport", func() error {
		export, err := g.mg.GetExport(g.ctx, id)
		return errors.Join(err, equal(export.Status, "complete"))
	})
	g.try("GetExportLink", func() error {
		link, err := g.mg.GetExportLink(g.ctx, id)
		return errors.Join(err, equal(link != "", true))
	})
}

func alerts(g *group) {
	var id *uuid.UUID
	g.try("ListAlertsEvents", func() error {
		got, err := g.mg.ListAlertsEvents(g.ctx, nil)
		if err != nil {
			return err
		}
		return equal(slices.Contains(got.Events, "ip_listed"), true)
	})
	g.try("AddAlert", func() error {
		url := "https://one.example/"
		made, err := g.mg.AddAlert(g.ctx, mtypes.AlertsEventSettingRequest{
			Channel: "webhook", EventType: "ip_listed", Settings: mtypes.AlertsChannelSettings{URL: &url},
		})
		if err != nil {
			return err
		}
		id = made.ID
		return equal(*made.Settings.URL, url)
	})
	g.try("ListAlerts", func() error {
		got, err := g.mg.ListAlerts(g.ctx, nil)
		if err != nil {
			return err
		}
		return errors.Join(equal(len(got.Events), 1), equal(got.Webhooks.SigningKey != "", true))
	})
	g.try("DeleteAlert", func() error {
		if id == nil {
			return errors.New("no alert to delete")
		}
		return g.mg.DeleteAlert(g.ctx, *id)
	})
}

func validation(g *group) {
	g.try("ValidateEmail", func() error {
		got, err := g.mg.ValidateEmail(g.ctx, "kim@example.com", false)
		return errors.Join(err, equal(got.Address, "kim@example.com"), equal(got.Result != "", true))
	})
}
