package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mailgun/mailgun-go/v5"
	"github.com/mailgun/mailgun-go/v5/events"
	"github.com/mailgun/mailgun-go/v5/mtypes"
)

const from = "Shop <a@shop.example>"

func (g *group) accepted(recipient string) (*events.Accepted, error) {
	items, err := all[events.Event](g.ctx, g.mg.ListEvents(g.domain, &mailgun.ListEventOptions{
		Filter: map[string]string{"event": "accepted", "recipient": recipient},
	}))
	if err != nil || len(items) == 0 {
		return nil, fmt.Errorf("no accepted event for %s: %v", recipient, err)
	}
	event, ok := items[0].(*events.Accepted)
	if !ok {
		return nil, fmt.Errorf("%T is no accepted event", items[0])
	}
	return event, nil
}

func (g *group) stored(recipient string) (mtypes.StoredMessage, error) {
	event, err := g.accepted(recipient)
	if err != nil {
		return mtypes.StoredMessage{}, err
	}
	return g.mg.GetStoredMessage(g.ctx, event.Storage.URL)
}

func messages(g *group) {
	g.try("Send", func() error {
		message := mailgun.NewMessage(g.domain, from, "Hello", "Hi", "kim@example.com")
		message.SetHTML("<p>Hi</p>")
		message.AddCC("lee@example.com")
		message.AddBufferAttachment("one.txt", []byte("first"))
		message.AddReaderInline("dot.png", io.NopCloser(strings.NewReader("dot")))
		message.SetReplyTo("help@shop.example")
		message.SetTracking(false)
		message.SetRequireTLS(true)
		message.SetDKIM(true)
		message.EnableNativeSend()
		if err := errors.Join(message.AddTag("autumn", "news"), message.AddVariable("order", "42")); err != nil {
			return err
		}
		sent, err := g.mg.Send(g.ctx, message)
		if err != nil {
			return err
		}
		event, err := g.accepted("lee@example.com")
		if err != nil {
			return err
		}
		return errors.Join(
			equal(sent.Message, "Queued. Thank you."),
			equal("<"+event.Message.Headers.MessageID+">", sent.ID),
			equal(event.Tags, []string{"autumn", "news"}),
			equal(event.UserVariables, map[string]any{"order": "42"}),
		)
	})
	g.try("GetStoredMessage", func() error {
		copy, err := g.stored("kim@example.com")
		if err != nil {
			return err
		}
		names := fields(copy.Attachments, func(item mtypes.StoredAttachment) string { return item.Name })
		return errors.Join(
			equal(copy.BodyPlain, "Hi"), equal(copy.BodyHtml, "<p>Hi</p>"), equal(names, []string{"dot.png", "one.txt"}),
		)
	})
	g.try("GetStoredMessageRaw", func() error {
		event, err := g.accepted("kim@example.com")
		if err != nil {
			return err
		}
		raw, err := g.mg.GetStoredMessageRaw(g.ctx, event.Storage.URL)
		if err != nil {
			return err
		}
		if !strings.Contains(raw.BodyMime, "Subject: Hello") {
			return fmt.Errorf("no subject in %q", raw.BodyMime)
		}
		return equal(raw.Subject, "Hello")
	})
	g.try("GetStoredAttachment", func() error {
		copy, err := g.stored("kim@example.com")
		if err != nil {
			return err
		}
		data, err := g.mg.GetStoredAttachment(g.ctx, copy.Attachments[1].URL)
		return errors.Join(err, equal(string(data), "first"))
	})
	g.try("ReSend", func() error {
		event, err := g.accepted("kim@example.com")
		if err != nil {
			return err
		}
		if _, err = g.mg.ReSend(g.ctx, event.Storage.URL, "jo@example.com"); err != nil {
			return err
		}
		copy, err := g.stored("jo@example.com")
		return errors.Join(err, equal(copy.Subject, "Hello"))
	})
	g.try("Send MIME", func() error {
		mime := "From: a@shop.example\r\nTo: max@example.com\r\nSubject: As MIME\r\nX-Mailgun-Tag: mime\r\n\r\nHello\r\n"
		message := mailgun.NewMIMEMessage(g.domain, io.NopCloser(strings.NewReader(mime)), "max@example.com")
		if _, err := g.mg.Send(g.ctx, message); err != nil {
			return err
		}
		event, err := g.accepted("max@example.com")
		if err != nil {
			return err
		}
		return errors.Join(equal(event.Tags, []string{"mime"}), equal(event.Message.Headers.Subject, "As MIME"))
	})
	g.try("Send batch", func() error {
		message := mailgun.NewMessage(g.domain, from, "Hello %recipient.name%", "Dear %recipient.name%")
		for _, name := range []string{"Ann", "Bob"} {
			address := strings.ToLower(name) + "@example.com"
			if err := message.AddRecipientAndVariables(address, map[string]any{"name": name}); err != nil {
				return err
			}
		}
		if _, err := g.mg.Send(g.ctx, message); err != nil {
			return err
		}
		copy, err := g.stored("bob@example.com")
		return errors.Join(err, equal(copy.Subject, "Hello Bob"), equal(copy.BodyPlain, "Dear Bob"))
	})
	g.try("Send template", func() error {
		template := &mtypes.Template{Name: "welcome", Version: mtypes.TemplateVersion{Template: "<p>{{who}}</p>", Engine: "handlebars"}}
		if err := g.mg.CreateTemplate(g.ctx, g.domain, template); err != nil {
			return err
		}
		message := mailgun.NewMessage(g.domain, from, "Hello", "", "tom@example.com")
		message.SetTemplate("welcome")
		message.SetTemplateRenderText(true)
		if err := message.AddTemplateVariable("who", "you"); err != nil {
			return err
		}
		if _, err := g.mg.Send(g.ctx, message); err != nil {
			return err
		}
		copy, err := g.stored("tom@example.com")
		return errors.Join(err, equal(copy.BodyHtml, "<p>you</p>"))
	})
	g.try("Send later", func() error {
		message := mailgun.NewMessage(g.domain, from, "Later", "Hi", "eve@example.com")
		message.SetDeliveryTime(time.Now().Add(time.Hour))
		if err := message.SetSTOPeriod("24h"); err != nil {
			return err
		}
		message.EnableTestMode()
		_, err := g.mg.Send(g.ctx, message)
		return err
	})
	g.try("Send with a wrong key", func() error {
		_, err := client("another-key").Send(g.ctx, mailgun.NewMessage(g.domain, from, "Hello", "Hi", "kim@example.com"))
		return status(err, 401)
	})
	g.try("Send from an unknown domain", func() error {
		_, err := g.mg.Send(g.ctx, mailgun.NewMessage("nowhere.example.com", from, "Hello", "Hi", "kim@example.com"))
		return status(err, 404)
	})
}

func eventLog(g *group) {
	for number := range 5 {
		message := mailgun.NewMessage(g.domain, from, "Hello", "Hi", fmt.Sprintf("kim%d@example.com", number))
		if _, err := g.mg.Send(g.ctx, message); err != nil {
			panic(err)
		}
	}
	g.try("ListEvents", func() error {
		items, err := all[events.Event](g.ctx, g.mg.ListEvents(g.domain, &mailgun.ListEventOptions{Limit: 3, ForceAscending: true}))
		seen := map[string]bool{}
		for _, item := range items {
			seen[item.GetID()] = true
		}
		return errors.Join(err, equal(len(items), 10), equal(len(seen), 10))
	})
	g.try("ListEvents backwards", func() error {
		it := g.mg.ListEvents(g.domain, &mailgun.ListEventOptions{Limit: 4, Compact: true})
		var last, page []events.Event
		if !it.First(g.ctx, &page) || !it.Last(g.ctx, &last) || !it.First(g.ctx, &page) || !it.Next(g.ctx, &page) || !it.Previous(g.ctx, &page) {
			return fmt.Errorf("a page is missing: %v", it.Err())
		}
		return equal(len(page), 4)
	})
	g.try("PollEvents", func() error {
		poller := g.mg.PollEvents(g.domain, &mailgun.ListEventOptions{
			Begin:        time.Now().Add(-time.Hour),
			PollInterval: time.Millisecond,
			Filter:       map[string]string{"event": "delivered"},
		})
		var page []events.Event
		if !poller.Poll(g.ctx, &page) {
			return fmt.Errorf("no events: %v", poller.Err())
		}
		return equal(len(page), 5)
	})
	g.try("ParseEvent", func() error {
		items, err := all[events.Event](g.ctx, g.mg.ListEvents(g.domain, &mailgun.ListEventOptions{
			Filter: map[string]string{"event": "delivered", "recipient": "kim0@example.com"},
		}))
		if err != nil || len(items) != 1 {
			return fmt.Errorf("%d events: %v", len(items), err)
		}
		event, ok := items[0].(*events.Delivered)
		if !ok {
			return fmt.Errorf("%T is no delivered event", items[0])
		}
		return errors.Join(equal(event.DeliveryStatus.Code, 250), equal(event.Recipient, "kim0@example.com"))
	})
}

func suppressions(g *group) {
	addresses := []string{"ann+x@example.com", "bob@example.com", "cid@example.com"}
	two := &mailgun.ListOptions{Limit: 2}
	g.try("AddBounce", func() error {
		for _, address := range addresses {
			if err := g.mg.AddBounce(g.ctx, g.domain, address, "550", "no such user"); err != nil {
				return err
			}
		}
		return nil
	})
	g.try("ListBounces", func() error {
		items, err := all[mtypes.Bounce](g.ctx, g.mg.ListBounces(g.domain, two))
		return errors.Join(err, equal(fields(items, func(item mtypes.Bounce) string { return item.Address }), addresses))
	})
	g.try("GetBounce", func() error {
		bounce, err := g.mg.GetBounce(g.ctx, g.domain, addresses[1])
		return errors.Join(err, equal(bounce.Code, "550"), equal(bounce.Error, "no such user"))
	})
	g.try("DeleteBounce", func() error {
		if err := g.mg.DeleteBounce(g.ctx, g.domain, addresses[1]); err != nil {
			return err
		}
		_, err := g.mg.GetBounce(g.ctx, g.domain, addresses[1])
		return status(err, 404)
	})
	g.try("DeleteBounceList", func() error {
		if err := g.mg.DeleteBounceList(g.ctx, g.domain); err != nil {
			return err
		}
		items, err := all[mtypes.Bounce](g.ctx, g.mg.ListBounces(g.domain, nil))
		return errors.Join(err, equal(len(items), 0))
	})
	g.try("CreateUnsubscribe", func() error { return g.mg.CreateUnsubscribe(g.ctx, g.domain, addresses[0], "news") })
	g.try("CreateUnsubscribes", func() error {
		return g.mg.CreateUnsubscribes(g.ctx, g.domain, []mtypes.Unsubscribe{
			{Address: addresses[1]}, {Address: addresses[2], Tags: []string{"one", "two"}},
		})
	})
	g.try("ListUnsubscribes", func() error {
		items, err := all[mtypes.Unsubscribe](g.ctx, g.mg.ListUnsubscribes(g.domain, two))
		tags := fields(items, func(item mtypes.Unsubscribe) string { return strings.Join(item.Tags, " ") })
		return errors.Join(err, equal(tags, []string{"news", "*", "one two"}))
	})
	g.try("DeleteUnsubscribeWithTag", func() error {
		return g.mg.DeleteUnsubscribeWithTag(g.ctx, g.domain, addresses[2], "one")
	})
	g.try("GetUnsubscribe", func() error {
		item, err := g.mg.GetUnsubscribe(g.ctx, g.domain, addresses[2])
		return errors.Join(err, equal(item.Tags, []string{"two"}))
	})
	g.try("DeleteUnsubscribe", func() error { return g.mg.DeleteUnsubscribe(g.ctx, g.domain, addresses[0]) })
	g.try("CreateComplaint", func() error { return g.mg.CreateComplaint(g.ctx, g.domain, addresses[0]) })
	g.try("CreateComplaints", func() error { return g.mg.CreateComplaints(g.ctx, g.domain, addresses[1:]) })
	g.try("ListComplaints", func() error {
		items, err := all[mtypes.Complaint](g.ctx, g.mg.ListComplaints(g.domain, two))
		return errors.Join(err, equal(fields(items, func(item mtypes.Complaint) string { return item.Address }), addresses))
	})
	g.try("GetComplaint", func() error {
		item, err := g.mg.GetComplaint(g.ctx, g.domain, addresses[0])
		return errors.Join(err, equal(item.Address, addresses[0]))
	})
	g.try("DeleteComplaint", func() error { return g.mg.DeleteComplaint(g.ctx, g.domain, addresses[0]) })
}

func routes(g *group) {
	var id string
	g.try("CreateRoute", func() error {
		route, err := g.mg.CreateRoute(g.ctx, mtypes.Route{
			Priority:    1,
			Description: "sample",
			Expression:  fmt.Sprintf("match_recipient('.*@%s')", g.domain),
			Actions:     []string{"forward('https://one.example/')", "stop()"},
		})
		id = route.Id
		return errors.Join(err, equal(route.Description, "sample"))
	})
	g.try("GetRoute", func() error {
		route, err := g.mg.GetRoute(g.ctx, id)
		return errors.Join(err, equal(len(route.Actions), 2))
	})
	g.try("ListRoutes", func() error {
		items, err := all[mtypes.Route](g.ctx, g.mg.ListRoutes(&mailgun.ListOptions{Limit: 1}))
		found := slices.Contains(fields(items, func(item mtypes.Route) string { return item.Id }), id)
		return errors.Join(err, equal(found, true))
	})
	g.try("UpdateRoute", func() error {
		route, err := g.mg.UpdateRoute(g.ctx, id, mtypes.Route{Priority: 2, Description: "changed"})
		return errors.Join(err, equal(route.Description, "changed"), equal(route.Priority, 2))
	})
	g.try("DeleteRoute", func() error {
		if err := g.mg.DeleteRoute(g.ctx, id); err != nil {
			return err
		}
		_, err := g.mg.GetRoute(g.ctx, id)
		return status(err, 404)
	})
}

func webhooks(g *group) {
	one, two := "https://one.example/", "https://two.example/"
	g.try("CreateWebhook", func() error { return g.mg.CreateWebhook(g.ctx, g.domain, "clicked", []string{one}) })
	g.try("UpdateWebhook", func() error { return g.mg.UpdateWebhook(g.ctx, g.domain, "clicked", []string{one, two}) })
	g.try("GetWebhook", func() error {
		urls, err := g.mg.GetWebhook(g.ctx, g.domain, "clicked")
		return errors.Join(err, equal(urls, []string{one, two}))
	})
	g.try("ListWebhooks", func() error {
		urls, err := g.mg.ListWebhooks(g.ctx, g.domain)
		return errors.Join(err, equal(urls, map[string][]string{"clicked": {one, two}}))
	})
	g.try("DeleteWebhook", func() error {
		if err := g.mg.DeleteWebhook(g.ctx, g.domain, "clicked"); err != nil {
			return err
		}
		_, err := g.mg.GetWebhook(g.ctx, g.domain, "clicked")
		return status(err, 404)
	})
	g.try("VerifyWebhookSignature", func() error {
		g.mg.SetWebhookSigningKey("key-3ax6xnjp29jd6fds4gc373sgvjxteol0")
		wrong, err := g.mg.VerifyWebhookSignature(mtypes.Signature{TimeStamp: "1", Token: "t", Signature: "00"})
		return errors.Join(err, equal(wrong, false))
	})
}
