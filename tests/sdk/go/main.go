// What mailgun-go offers, against the URL in MAILGUN_URL. `go run .` tries the calls of the client, group by group,
// and prints one JSON object a call: its group, its name, and what failed. ../test_go_sdk.py runs it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/mailgun/mailgun-go/v5"
)

type result struct {
	Group  string  `json:"group"`
	Call   string  `json:"call"`
	Failed *string `json:"failed"`
}

// group is a part of the client's calls, with a domain of its own.
type group struct {
	name   string
	domain string
	mg     *mailgun.Client
	ctx    context.Context
}

// try runs one call of the client and what is expected of its answer.
func (g *group) try(call string, test func() error) {
	outcome := result{Group: g.name, Call: call}
	if err := test(); err != nil {
		text := err.Error()
		outcome.Failed = &text
	}
	line, _ := json.Marshal(outcome)
	fmt.Println(string(line))
}

func equal(got, want any) error {
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("got %#v, not %#v", got, want)
	}
	return nil
}

// status expects Mailgun to refuse a call with an HTTP status.
func status(err error, want int) error {
	var refused *mailgun.UnexpectedResponseError
	if !errors.As(err, &refused) {
		return fmt.Errorf("got %v, not status %d", err, want)
	}
	return equal(refused.Actual, want)
}

type iterator[T any] interface {
	Next(context.Context, *[]T) bool
	Err() error
}

func all[T any](ctx context.Context, it iterator[T]) ([]T, error) {
	var items, page []T
	for it.Next(ctx, &page) {
		items = append(items, page...)
	}
	return items, it.Err()
}

func fields[T any](items []T, field func(T) string) []string {
	texts := []string{}
	for _, item := range items {
		texts = append(texts, field(item))
	}
	return texts
}

func client(key string) *mailgun.Client {
	mg := mailgun.NewMailgun(key)
	if err := mg.SetAPIBase(os.Getenv("MAILGUN_URL")); err != nil {
		panic(err)
	}
	return mg
}

func main() {
	groups := []struct {
		name  string
		calls func(*group)
	}{
		{"messages", messages},
		{"domains", domains},
		{"credentials", credentials},
		{"events", eventLog},
		{"suppressions", suppressions},
		{"routes", routes},
		{"webhooks", webhooks},
		{"lists", lists},
		{"templates", templates},
		{"tags", tags},
		{"metrics", metrics},
		{"ips", ips},
		{"subaccounts", subaccounts},
		{"keys", keys},
		{"exports", exports},
		{"alerts", alerts},
		{"validation", validation},
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for number, each := range groups {
		g := &group{each.name, fmt.Sprintf("go%d.example.com", number), client(os.Getenv("MAILGUN_KEY")), ctx}
		if _, err := g.mg.CreateDomain(ctx, g.domain, nil); err != nil {
			panic(err)
		}
		if _, err := g.mg.VerifyDomain(ctx, g.domain); err != nil {
			panic(err)
		}
		each.calls(g)
	}
}
