package main

import (
	"context"

	"github.com/microsoft/moc-sdk-for-go/services/admin/health"
	"github.com/microsoft/moc-sdk-for-go/services/cloud"
	"github.com/microsoft/moc-sdk-for-go/services/cloud/group"
	"github.com/microsoft/moc-sdk-for-go/services/cloud/location"
	"github.com/microsoft/moc-sdk-for-go/services/cloud/node"
)

// placesStory makes, reads and removes what a cluster's resources stand in.
func placesStory(s *session) {
	step("authorizer", s.authorize)
	locations := must(location.NewLocationClient(s.host, s.authorizer))
	step("get a location that is not there", func(ctx context.Context) (seen, error) {
		_, err := locations.Get(ctx, "GoLocation")
		return nil, err
	})
	step("create location", func(ctx context.Context) (seen, error) {
		made, err := locations.CreateOrUpdate(ctx, "GoLocation", &cloud.Location{Name: ptr("GoLocation")})
		if err != nil {
			return nil, err
		}
		return seen{"name": text(made.Name), "has_version": text(made.Version) != ""}, nil
	})
	step("get location", func(ctx context.Context) (seen, error) { return locationNames(locations.Get(ctx, "GoLocation")) })
	step("list locations", func(ctx context.Context) (seen, error) { return locationNames(locations.Get(ctx, "")) })
	groupSteps(must(group.NewGroupClient(s.host, s.authorizer)))
	nodes := must(node.NewNodeClient(s.host, s.authorizer))
	nodeSteps(nodes)
	step("delete a location in use", func(ctx context.Context) (seen, error) { return nil, locations.Delete(ctx, "GoLocation") })
	step("delete node", func(ctx context.Context) (seen, error) { return nil, nodes.Delete(ctx, "GoLocation", "host-1") })
	step("delete location", func(ctx context.Context) (seen, error) { return nil, locations.Delete(ctx, "GoLocation") })
	step("delete location that is gone", func(ctx context.Context) (seen, error) { return nil, locations.Delete(ctx, "GoLocation") })
}

func locationNames(found *[]cloud.Location, err error) (seen, error) {
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, one := range *found {
		names = append(names, text(one.Name))
	}
	return seen{"names": names}, nil
}

func groupSteps(groups *group.GroupClient) {
	names := func(found *[]cloud.Group, err error) (seen, error) {
		if err != nil {
			return nil, err
		}
		all := []string{}
		for _, one := range *found {
			all = append(all, text(one.Name)+"@"+text(one.Location)+" ownedBy="+text(one.Tags["ownedBy"]))
		}
		return seen{"names": all}, nil
	}
	step("create group", func(ctx context.Context) (seen, error) {
		wanted := &cloud.Group{Name: ptr("go-group"), Location: ptr("GoLocation"), Tags: map[string]*string{"ownedBy": ptr("caph")}}
		made, err := groups.CreateOrUpdate(ctx, "GoLocation", "go-group", wanted)
		if err != nil {
			return nil, err
		}
		return seen{"name": text(made.Name), "has_version": text(made.Version) != ""}, nil
	})
	step("get group", func(ctx context.Context) (seen, error) { return names(groups.Get(ctx, "GoLocation", "go-group")) })
	step("list groups", func(ctx context.Context) (seen, error) { return names(groups.Get(ctx, "GoLocation", "")) })
	step("delete group", func(ctx context.Context) (seen, error) { return nil, groups.Delete(ctx, "GoLocation", "go-group") })
	step("get group that is gone", func(ctx context.Context) (seen, error) { return names(groups.Get(ctx, "GoLocation", "go-group")) })
	step("list no groups", func(ctx context.Context) (seen, error) { return names(groups.Get(ctx, "GoLocation", "")) })
}

func nodeSteps(nodes *node.NodeClient) {
	step("create node", func(ctx context.Context) (seen, error) {
		made, err := nodes.CreateOrUpdate(ctx, "GoLocation", "host-1", &cloud.Node{
			Name: ptr("host-1"), Location: ptr("GoLocation"),
			NodeProperties: &cloud.NodeProperties{FQDN: ptr("host-1.example.test"), Port: ptr(int32(45000)), AuthorizerPort: ptr(int32(45001))},
		})
		if err != nil {
			return nil, err
		}
		return seen{"name": text(made.Name), "has_version": text(made.Version) != ""}, nil
	})
	step("get node", func(ctx context.Context) (seen, error) {
		found, err := nodes.Get(ctx, "GoLocation", "host-1")
		if err != nil {
			return nil, err
		}
		one := (*found)[0]
		return seen{"fqdn": text(one.FQDN), "port": *one.Port, "auth_port": *one.AuthorizerPort, "location": text(one.Location)}, nil
	})
}

func adminStory(s *session) {
	step("authorizer", s.authorize)
	client := must(health.NewHealthClient(s.host, s.authorizer))
	step("version", s.call)
	step("check health", func(ctx context.Context) (seen, error) { return nil, client.CheckHealth(ctx, 5) })
	step("agent info", func(ctx context.Context) (seen, error) {
		info, err := client.GetAgentInfo(ctx)
		if err != nil {
			return nil, err
		}
		return seen{"has_name": info.GetName() != "", "has_id": info.GetId() != ""}, nil
	})
	step("deployment id", func(ctx context.Context) (seen, error) {
		id, err := client.GetDeploymentId(ctx)
		return seen{"id": id}, err
	})
}
