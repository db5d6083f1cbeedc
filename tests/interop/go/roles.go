package main

import (
	"context"

	"github.com/microsoft/moc-sdk-for-go/services/security"
	"github.com/microsoft/moc-sdk-for-go/services/security/identity"
	"github.com/microsoft/moc-sdk-for-go/services/security/role"
	"github.com/microsoft/moc-sdk-for-go/services/security/roleassignment"
)

func rolesStory(s *session) {
	step("authorizer", s.authorize)
	identities := must(identity.NewIdentityClient(s.host, s.authorizer))
	step("an identity", func(ctx context.Context) (seen, error) {
		_, err := identities.CreateOrUpdate(ctx, "", "operator-go", newIdentity("operator-go"))
		return nil, err
	})
	roleSteps(must(role.NewRoleClient(s.host, s.authorizer)), must(roleassignment.NewRoleAssignmentClient(s.host, s.authorizer)))
	step("the identity goes", func(ctx context.Context) (seen, error) { return nil, identities.Delete(ctx, "", "operator-go") })
}

func roleSteps(roles *role.RoleClient, assignments *roleassignment.RoleAssignmentClient) {
	step("list built-in roles", func(ctx context.Context) (seen, error) {
		found, err := roles.Get(ctx, "")
		if err != nil {
			return nil, err
		}
		names := []string{}
		for _, one := range *found {
			names = append(names, text(one.Name))
		}
		return seen{"names": names}, nil
	})
	step("create role", func(ctx context.Context) (seen, error) {
		return roleFacts(roles.CreateOrUpdate(ctx, "rotator", rotator()))
	})
	step("get role", func(ctx context.Context) (seen, error) {
		found, err := roles.Get(ctx, "rotator")
		if err != nil {
			return nil, err
		}
		return roleFacts(&(*found)[0], nil)
	})
	assignmentSteps(assignments)
	step("delete role", func(ctx context.Context) (seen, error) { return nil, roles.Delete(ctx, "rotator") })
	step("get role that is gone", func(ctx context.Context) (seen, error) {
		_, err := roles.Get(ctx, "rotator")
		return nil, err
	})
	step("delete a built-in role", func(ctx context.Context) (seen, error) { return nil, roles.Delete(ctx, "Owner") })
}

func rotator() *security.Role {
	return &security.Role{
		Name: ptr("rotator"),
		RoleProperties: &security.RoleProperties{
			Permissions: &[]security.RolePermission{{
				Actions: &[]security.Action{
					{Provider: security.IdentityType, GeneralOperation: security.ReadAccess},
					{Provider: security.IdentityType, GeneralOperation: security.ProviderAction, ProviderOperation: security.Identity_RotateAccess},
				},
				NotActions: &[]security.Action{{Provider: security.IdentityType, GeneralOperation: security.DeleteAccess}},
			}},
			AssignableScopes: &[]security.Scope{{Location: ptr("MocLocation"), Provider: security.AnyProviderType}},
		},
	}
}

func roleFacts(made *security.Role, err error) (seen, error) {
	if err != nil {
		return nil, err
	}
	permission := (*made.Permissions)[0]
	return seen{
		"name": text(made.Name), "has_version": text(made.Version) != "", "actions": len(*permission.Actions),
		"not_actions": len(*permission.NotActions), "scopes": len(*made.AssignableScopes),
	}, nil
}

func assignmentSteps(client *roleassignment.RoleAssignmentClient) {
	wanted := func() *security.RoleAssignment {
		return &security.RoleAssignment{RoleAssignmentProperties: &security.RoleAssignmentProperties{
			RoleName: ptr("rotator"), IdentityName: ptr("operator-go"), Scope: &security.Scope{Location: ptr("MocLocation"), Provider: security.AnyProviderType},
		}}
	}
	step("assign", func(ctx context.Context) (seen, error) { return assignmentFacts(client.CreateOrUpdate(ctx, wanted())) })
	step("assign again", func(ctx context.Context) (seen, error) { return assignmentFacts(client.CreateOrUpdate(ctx, wanted())) })
	step("list assignments of the identity", func(ctx context.Context) (seen, error) {
		filter := &security.RoleAssignment{RoleAssignmentProperties: &security.RoleAssignmentProperties{IdentityName: ptr("operator-go")}}
		found, err := client.Get(ctx, filter)
		if err != nil {
			return nil, err
		}
		return seen{"count": len(*found), "first": text((*found)[0].RoleName)}, nil
	})
	step("list all assignments", func(ctx context.Context) (seen, error) {
		found, err := client.Get(ctx, &security.RoleAssignment{})
		if err != nil {
			return nil, err
		}
		return seen{"some": len(*found) > 1}, nil
	})
	step("unassign by identity and role", func(ctx context.Context) (seen, error) { return nil, client.Delete(ctx, wanted()) })
	step("unassign what is gone", func(ctx context.Context) (seen, error) { return nil, client.Delete(ctx, wanted()) })
	var name *string
	step("assign once more", func(ctx context.Context) (seen, error) {
		made, err := client.CreateOrUpdate(ctx, wanted())
		if err == nil {
			name = made.Name
		}
		return assignmentFacts(made, err)
	})
	step("unassign by name", func(ctx context.Context) (seen, error) {
		return nil, client.Delete(ctx, &security.RoleAssignment{Name: name})
	})
}

func assignmentFacts(made *security.RoleAssignment, err error) (seen, error) {
	if err != nil {
		return nil, err
	}
	return seen{
		"has_name": text(made.Name) != "", "role": text(made.RoleName), "identity": text(made.IdentityName),
		"location": text(made.Scope.Location), "has_version": text(made.Version) != "",
	}, nil
}
